"""Waiting before a call: spaced, longer after each failure, and as long as the server asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.backends.rate_limits import Backoff, RateLimit, retry_after_seconds


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@settings(max_examples=30)
@given(per_minute=st.floats(0.5, 6000), gaps=st.lists(st.floats(0, 200), min_size=1, max_size=40))
def test_calls_are_never_closer_than_the_limit_allows(per_minute: float, gaps: list[float]) -> None:
    clock = Clock()
    limit = RateLimit(per_minute, clock=clock)
    places = []
    for gap in gaps:
        clock.now += gap
        places.append(clock.now + limit.reserve())
    between = [later - earlier for earlier, later in zip(places, places[1:], strict=False)]
    assert all(space >= 60 / per_minute - 1e-6 for space in between)


def test_without_a_limit_nobody_waits_until_a_pause_is_asked_for() -> None:
    clock = Clock()
    limit = RateLimit(clock=clock)
    assert [limit.reserve() for _ in range(3)] == [0.0, 0.0, 0.0]
    limit.pause(7.0)
    limit.pause(2.0)  # a shorter pause does not end a longer one
    clock.now = 3.0
    assert limit.reserve() == 4.0
    clock.now = 8.0
    assert limit.reserve() == 0.0


@settings(max_examples=30)
@given(name=st.text(max_size=5), seed=st.integers(0, 9), attempt=st.integers(0, 2000))
def test_a_wait_doubles_up_to_a_bound_with_jitter_that_comes_again(
    name: str, seed: int, attempt: int
) -> None:
    backoff = Backoff(first=0.5, longest=60.0, seed=seed)
    bound = min(60.0, 0.5 * 2.0 ** min(attempt, 20))
    wait = backoff.seconds(name, attempt)
    assert bound / 2 <= wait <= bound
    assert wait == Backoff(first=0.5, longest=60.0, seed=seed).seconds(name, attempt)


def test_calls_that_failed_together_do_not_come_back_together() -> None:
    waits = {Backoff().seconds(f"request {number}", 0) for number in range(50)}
    assert len(waits) == 50


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0", 0.0), ("-3", 0.0), (" 12 ", 12.0), ("inf", None), ("nan", None), ("", None), ("tomorrow", None)],
)
def test_what_a_server_asks_for_is_read_or_left(value: str, expected: float | None) -> None:
    assert retry_after_seconds(value) == expected


def test_a_date_is_counted_from_now() -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    then = now + timedelta(seconds=90)
    # RFC 9110, 10.2.3 and 5.6.7: an HTTP date.
    assert retry_after_seconds(then.strftime("%a, %d %b %Y %H:%M:%S GMT"), now=now) == 90.0
    assert retry_after_seconds("Sun, 22 Nov 2026 11:00:00 GMT", now=now) == 0.0
