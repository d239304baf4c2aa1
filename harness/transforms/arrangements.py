"""Orders of n things: all of them, or a seeded sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import factorial

from harness.core.rng import Rng


def arrangements(n: int, rng: Rng, *, limit: int) -> list[tuple[int, ...]]:
    """All orders of 0 .. n-1 where there are at most `limit`, else `limit` different ones; the usual order first.

    Example:
        >>> from harness.core.rng import rng_for
        >>> arrangements(3, rng_for(0), limit=6)
        [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
        >>> len(set(arrangements(9, rng_for(0), limit=24)))
        24
    """
    if factorial(n) <= limit:
        return list(permutations(range(n)))
    found = {tuple(range(n)): None}  # a dict, for it keeps the order of drawing
    while len(found) < limit:
        found[tuple(rng.shuffled(range(n)))] = None
    return list(found)


def arrangement_name(order: Sequence[int]) -> str:
    """The order as people count, from 1.

    Example:
        >>> arrangement_name((1, 0, 2))
        '2-1-3'
    """
    return "-".join(str(place + 1) for place in order)
