"""The token trie of many inputs: each distinct input once, in depth-first order, with what it shares."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.errors import UsageError

Ints = np.ndarray[Any, np.dtype[Any]]

_CHUNK = 64  # tokens by which inputs are told apart at once
_FEW = 32  # inputs that a comparison sort orders sooner than a partition would
_SAMPLED = 16  # inputs looked at to guess how much a group shares
_TOGETHER = 8192  # neighbours compared in one sweep: some megabytes


@dataclass(frozen=True, slots=True)
class Trie:
    """Distinct inputs in lexicographic order, which is the depth-first order of their token trie.

    The tokens stay where they were given (`inputs` are the very arrays, not copies), so the trie of a million
    inputs takes little memory; `input(i)` and `packed(first, stop, depth)` give them as numpy arrays.

    Args:
        inputs: The distinct inputs; arrays of 4-byte integers that must not be changed.
        lengths: int32 (n_inputs,), tokens of each.
        shared: int32 (n_inputs,), tokens shared with the input before; 0 for the first.
        n_scored: int32 (n_inputs,), how many of the last positions are looked at, the most over equal reads.
        of_read: int64 (n_reads,), which input each given read is.
    """

    inputs: tuple[array[int], ...]
    lengths: Ints
    shared: Ints
    n_scored: Ints
    of_read: Ints

    @property
    def n_inputs(self) -> int:
        """Distinct inputs."""
        return len(self.inputs)

    @property
    def n_distinct_tokens(self) -> int:
        """Nodes of the trie: tokens that differ in themselves or in what stands before them."""
        return int(self.lengths.sum(dtype=np.int64) - self.shared.sum(dtype=np.int64))

    @property
    def n_given_tokens(self) -> int:
        """Tokens of all given reads, each counted as often as it was given."""
        return int(self.lengths[self.of_read].sum(dtype=np.int64))

    @property
    def keepable(self) -> Ints:
        """int32 (n_inputs,), how many tokens stand before the first position looked at."""
        return self.lengths - self.n_scored

    def input(self, index: int) -> Ints:
        """int32 (length,), the tokens of one input; a view."""
        return np.frombuffer(self.inputs[index], dtype=np.int32)

    def packed(self, first: int, stop: int, depth: int) -> Ints:
        """int32, tokens of a packed row: the first input from `depth` on, of each later one its new part.

        Args:
            first: The row's first input.
            stop: One past its last.
            depth: Tokens that stand before the row and are not in it.

        Example:
            >>> from array import array
            >>> trie = trie_of([array("i", [1, 2, 3, 4]), array("i", [1, 2, 5])], [1, 1])
            >>> trie.packed(0, 2, 1).tolist()
            [2, 3, 4, 5]
        """
        fresh = np.maximum(self.shared[first:stop], depth)
        fresh[0] = depth
        parts = [
            array_[begin:] for array_, begin in zip(self.inputs[first:stop], fresh.tolist(), strict=True)
        ]
        return np.frombuffer(b"".join(parts), dtype=np.int32)


def trie_of(reads: Sequence[array[int]], n_scored: Sequence[int]) -> Trie:
    """The trie of many inputs; the order in which they are given does not matter.

    Args:
        reads: Inputs of at least one token, as arrays of 4-byte integers (`array("i")`).
        n_scored: Per read, how many of its last positions are looked at, 1 to its length.

    Raises:
        UsageError: If the counts differ, or a number of scored positions does not fit its read.

    Example:
        >>> from array import array
        >>> trie = trie_of([array("i", [7, 9]), array("i", [7, 8, 8]), array("i", [7, 9])], [1, 1, 2])
        >>> [list(one) for one in trie.inputs], trie.shared.tolist(), trie.of_read.tolist()
        ([[7, 8, 8], [7, 9]], [0, 1], [1, 0, 1])
        >>> trie.n_scored.tolist(), trie.n_distinct_tokens, trie.n_given_tokens
        ([1, 2], 4, 7)
    """
    if len(reads) != len(n_scored):
        raise UsageError(
            f"A trie of {len(reads)} reads needs as many counts of scored positions, got {len(n_scored)}."
        )
    lengths = np.fromiter(map(len, reads), dtype=np.int32, count=len(reads))
    scored = np.asarray(n_scored, dtype=np.int32)
    wrong = np.flatnonzero((scored < 1) | (scored > lengths))
    if len(wrong):
        index = int(wrong[0])
        raise UsageError(
            f"Read {index} has {lengths[index]} tokens and {scored[index]} scored positions; expected 1 to "
            "its length."
        )
    order, bounds = _ordered(reads)
    by_rank = np.array(order, dtype=np.int64)
    shared = _shared_with_previous(reads, order, np.array(bounds, dtype=np.int64))
    # In lexicographic order equal reads are neighbours, and a read is never a prefix of the one before.
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (shared[1:] != lengths[by_rank[1:]]) | (shared[1:] != lengths[by_rank[:-1]])
    of_read = np.empty(len(order), dtype=np.int64)
    of_read[by_rank] = np.cumsum(fresh) - 1
    firsts = np.flatnonzero(fresh)
    kept = by_rank[firsts]
    return Trie(
        inputs=tuple(reads[index] for index in kept.tolist()),
        lengths=lengths[kept],
        shared=shared[firsts].astype(np.int32),
        n_scored=np.maximum.reduceat(scored[by_rank], firsts) if len(firsts) else scored,
        of_read=of_read,
    )


def _ordered(reads: Sequence[array[int]]) -> tuple[list[int], list[int]]:
    """Indices of the reads in lexicographic order, and tokens that each surely shares with the one before.

    Groups that agree so far are split by their next tokens, so that no comparison reads again what a whole
    group shares; small groups are sorted.
    """
    order: list[int] = []
    bounds: list[int] = []
    waiting: list[tuple[list[int], int, int, bool]] = [(list(range(len(reads))), 0, 0, False)]
    while waiting:
        group, agreed, before, is_equal = waiting.pop()
        if is_equal or len(group) <= _FEW:
            if not is_equal and len(group) > 1:
                group = sorted(group, key=lambda index: reads[index][agreed:])
            order += group
            bounds += [before, *[agreed] * (len(group) - 1)][: len(group)]
            continue
        stop = agreed + (_common(reads, group, agreed) or _CHUNK)
        parts: dict[bytes, list[int]] = {}
        for index in group:
            parts.setdefault(reads[index][agreed:stop].tobytes(), []).append(index)
        for place, key in reversed(list(enumerate(sorted(parts, key=lambda key: array("i", key))))):
            met = agreed + len(key) // 4  # less than `stop` where the reads end
            waiting.append((parts[key], met, agreed if place else before, met < stop))
    return order, bounds


def _common(reads: Sequence[array[int]], group: Sequence[int], agreed: int) -> int:
    """Tokens after the first `agreed` that a sample of a group shares: a guess for the whole group."""
    step = max(1, len(group) // _SAMPLED)
    sample = [reads[index][agreed:] for index in group[::step]]
    low, high = min(sample), max(sample)
    width = min(len(low), len(high))
    differ = np.flatnonzero(
        np.frombuffer(low, dtype=np.int32)[:width] != np.frombuffer(high, dtype=np.int32)[:width]
    )
    return int(differ[0]) if len(differ) else width


def _shared_with_previous(reads: Sequence[array[int]], order: Sequence[int], bounds: Ints) -> Ints:
    """int64 (n_reads,), tokens that each read shares with the one before it in the order."""
    shared = np.zeros(len(order), dtype=np.int64)
    for start in range(1, len(order), _TOGETHER):
        stop = min(start + _TOGETHER, len(order))
        one, other, spans = [], [], []
        agreed = bounds[start:stop]
        for before, index, begin in zip(
            order[start - 1 : stop - 1], order[start:stop], agreed.tolist(), strict=True
        ):
            end = min(len(reads[before]), len(reads[index]))
            one.append(reads[before][begin:end])
            other.append(reads[index][begin:end])
            spans.append(end - begin)
        differ = np.flatnonzero(
            np.frombuffer(b"".join(one), dtype=np.int32) != np.frombuffer(b"".join(other), dtype=np.int32)
        )
        ends = np.cumsum(spans)
        begins = ends - spans
        first = np.searchsorted(differ, begins)
        found = np.append(differ, np.iinfo(np.int64).max)[first]
        shared[start:stop] = agreed + np.minimum(found, ends) - begins
    return shared
