"""How many distinct tokens a work has: the nodes of the tree of everything the model must read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Read:
    """One input of the model whose last `n_scored` outputs are looked at."""

    tokens: Sequence[int]
    n_scored: int


@dataclass(frozen=True, slots=True)
class Distinct:
    """Counts of a work.

    Args:
        prefix: Tokens that every read begins with.
        n_tokens: Distinct tokens: same token after the same beginning counts once.
        n_scored: Distinct places whose output is looked at.
        n_read: Tokens of all reads, nothing shared.
    """

    prefix: int
    n_tokens: int
    n_scored: int
    n_read: int

    @property
    def share(self) -> float:
        """Distinct tokens per token of the reads."""
        return self.n_tokens / self.n_read


def distinct_of(reads: Iterable[Read]) -> Distinct:
    """Counts the tree of the reads.

    Example:
        >>> distinct_of([Read([7, 8, 9], 1), Read([7, 8, 5], 2)])
        Distinct(prefix=2, n_tokens=4, n_scored=3, n_read=6)
    """
    known: dict[tuple[int, int], int] = {}
    scored: set[int] = set()
    prefix: list[int] | None = None
    n_read = 0
    for read in reads:
        tokens = list(read.tokens)
        n_read += len(tokens)
        prefix = tokens if prefix is None else prefix[: _shared(prefix, tokens)]
        node = 0
        for depth, token in enumerate(tokens):
            node = known.setdefault((node, token), len(known) + 1)
            if depth >= len(tokens) - read.n_scored:
                scored.add(node)
    return Distinct(len(prefix or ()), len(known), len(scored), n_read)


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    places = (index for index, (one, other) in enumerate(zip(first, second, strict=False)) if one != other)
    return next(places, min(len(first), len(second)))
