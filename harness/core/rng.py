"""A generator named by what it is for, so that no variant depends on its neighbours.

Only `random.Random.random()` is used underneath: its sequence is promised to stay the same for a seed,
while `shuffle` and `sample` may change between Python versions.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.core.digest import digest

T = TypeVar("T")


class Rng:
    """A small generator whose every draw comes from `random()`.

    Example:
        >>> rng_for(1, "item").integer(10) == rng_for(1, "item").integer(10)
        True
    """

    # `random` is the generator's own method, a float in [0, 1): transforms draw dozens of times a variant.
    __slots__ = ("random",)
    random: Callable[[], float]

    def __init__(self, seed_digest: str) -> None:
        self.random = random.Random(seed_digest).random

    def integer(self, stop: int) -> int:
        """An integer in [0, stop), stop >= 1."""
        return int(self.random() * stop)

    def chance(self, share: float) -> bool:
        """True with probability `share`."""
        return self.random() < share

    def choice(self, options: Sequence[T]) -> T:
        """One of at least one options."""
        return options[int(self.random() * len(options))]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """A new list in random order (Fisher-Yates)."""
        result = list(values)
        for last in range(len(result) - 1, 0, -1):
            other = self.integer(last + 1)
            result[last], result[other] = result[other], result[last]
        return result

    def sample(self, values: Sequence[T], size: int) -> list[T]:
        """`size` distinct positions' values, in random order; at most all of them."""
        return self.shuffled(values)[:size]


def rng_for(seed: int, *names: object) -> Rng:
    """The generator of this seed and these names.

    Example:
        >>> rng_for(7, "a", "typo").random() != rng_for(7, "b", "typo").random()
        True
    """
    return Rng(digest("rng/1", seed, [str(name) for name in names], length=64))
