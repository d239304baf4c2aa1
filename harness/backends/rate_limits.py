"""When the next call to a server may go: so many a minute, and none while it asked to be left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from harness.core.rng import rng_for


class RateLimit:
    """Spaces calls evenly over a minute; shared by all threads of one backend.

    Args:
        per_minute: At most so many calls a minute; None: no limit of ours.
        clock: Seconds that only grow.

    Example:
        >>> limit = RateLimit(60, clock=lambda: 100.0)
        >>> limit.reserve(), limit.reserve()
        (0.0, 1.0)
    """

    def __init__(
        self, per_minute: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spacing = 0.0 if per_minute is None else 60.0 / per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._next = float("-inf")

    def reserve(self) -> float:
        """Takes the next place in line; the seconds to wait until it comes."""
        with self._lock:
            now = self._clock()
            place = max(now, self._next)
            self._next = place + self._spacing
            return place - now

    def pause(self, seconds: float) -> None:
        """Lets nobody go for so long: what a server asks for by `Retry-After` holds for every thread."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before asking again.

    Args:
        retries: How often a call is repeated after the first.
        first: Bound of the first wait in seconds; it doubles from one wait to the next.
        longest: No wait is longer, and a server that asks for more is not waited for.
        seed: Of the jitter.
    """

    retries: int = 5
    first: float = 1.0
    longest: float = 60.0
    seed: int = 0

    def seconds(self, name: str, attempt: int) -> float:
        """The wait after a failed attempt, counted from 0: between half the bound and the bound.

        Named, so that calls which failed together do not come back together, yet come back the same every time.

        Example:
            >>> waits = [Backoff(first=1.0, longest=4.0).seconds("call", attempt) for attempt in range(4)]
            >>> [bound / 2 <= wait <= bound for wait, bound in zip(waits, (1, 2, 4, 4))]
            [True, True, True, True]
        """
        bound = min(self.longest, self.first * 2.0 ** min(attempt, 60))
        return bound * (0.5 + 0.5 * rng_for(self.seed, "backoff", name, attempt).random())


def retry_after_seconds(value: str | None, *, now: datetime | None = None) -> float | None:
    """The seconds a `Retry-After` header asks for, given as a number or a date; None where it says neither.

    Example:
        >>> retry_after_seconds("2.5"), retry_after_seconds("soon"), retry_after_seconds(None)
        (2.5, None, None)
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
        except ValueError:
            return None
        then = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
        seconds = (then - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
