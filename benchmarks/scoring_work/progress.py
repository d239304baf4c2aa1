"""Where a long measurement stands, on standard error, with the time that is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter


class Progress:
    """Counts steps of known weight.

    Args:
        weights: Steps in their order, each with how long it takes compared with the others.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = dict(weights)
        self.done = 0.0
        self.n_done = 0
        self.started = perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Tells that a step begins, and notes that it ended."""
        elapsed = perf_counter() - self.started
        print(
            f"[{self.n_done + 1}/{len(self.weights)}] {name}: {elapsed:.0f} s so far{self.left(elapsed)}",
            file=sys.stderr,
            flush=True,
        )
        yield
        self.done += self.weights[name]
        self.n_done += 1

    def left(self, elapsed: float) -> str:
        """How long the rest takes if it goes on like this; nothing before the first step is done."""
        if self.done == 0:
            return ""
        remaining = sum(self.weights.values()) - self.done
        return f", about {elapsed * remaining / self.done:.0f} s left"
