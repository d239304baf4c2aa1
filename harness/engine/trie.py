"""The token trie of many inputs: each distinct input once, in depth-first order, with what it shares."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.errors import UsageError

Ints = np.ndarray[Any, np.dtype[Any]]

_NARROW = 16  # tokens by which a large group is split at once
_WIDE = 64  # tokens by which small groups are split at once, at first
_LARGE = 256  # reads of a group that is split on its own
_BLOCK = 8192  # reads of small groups that are split together
_CELLS = 2**22  # tokens held at once to split a block
_SAMPLED = 16  # reads looked at to guess how much a group shares


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
    by_rank, shared = _Sorting(reads, lengths).done()
    # In lexicographic order equal reads are neighbours, and no read is the beginning of the one before.
    fresh = np.ones(len(by_rank), dtype=bool)
    fresh[1:] = (shared[1:] != lengths[by_rank[1:]]) | (shared[1:] != lengths[by_rank[:-1]])
    of_read = np.empty(len(by_rank), dtype=np.int64)
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


class _Sorting:
    """Reads being put into lexicographic order: a radix sort that reads what a large group shares only once.

    Groups of reads that agree on their first tokens hold neighbouring places of the order. A large group is
    split by its next few tokens, or all that it seems to share; the small groups that come of it are split
    together, in blocks.
    """

    def __init__(self, reads: Sequence[array[int]], lengths: Ints) -> None:
        self.reads = reads
        self.lengths = lengths
        self.order = np.arange(len(reads), dtype=np.int64)
        self.shared = np.zeros(len(reads), dtype=np.int64)
        self.seams: list[int] = []  # places whose share with the place before is yet to be counted

    def done(self) -> tuple[Ints, Ints]:
        """int64 (n_reads,) twice: reads in order, and tokens that each shares with the one before."""
        waiting = [(0, len(self.reads), 0, _NARROW)]
        while waiting:
            first, stop, agreed, width = waiting.pop()
            places = np.arange(first, stop)
            groups = np.zeros(stop - first, dtype=np.int64)
            if stop - first > _LARGE and (parts := self._parted(first, stop, agreed)) is not None:
                waiting += parts
                continue
            if stop - first <= _BLOCK:
                self._settle(places, groups, agreed)
                continue
            width = min(width, max(_NARROW, _CELLS * 16 // (stop - first)))
            places, groups = self._split(places, groups, agreed, width)
            waiting += self._large(places, groups, agreed + width, (stop - first, width))
        for place in self.seams:
            before, after = (self.reads[index] for index in self.order[place - 1 : place + 1].tolist())
            self.shared[place] = _common(before, after)
        return self.order, self.shared

    def _large(
        self, places: Ints, groups: Ints, agreed: int, parent: tuple[int, int]
    ) -> list[tuple[int, int, int, int]]:
        """The large groups, to be split on their own; the others are settled in blocks of whole groups."""
        begins = np.flatnonzero(np.diff(groups, prepend=-1))
        sizes = np.diff(begins, append=len(groups))
        is_large = sizes > min(_LARGE, _BLOCK)
        n_parent, width = parent
        large = [
            (begin, begin + size, agreed, 2 * width if 2 * size > n_parent else _NARROW)
            for begin, size in zip(places[begins[is_large]].tolist(), sizes[is_large].tolist(), strict=True)
        ]
        is_small = ~np.repeat(is_large, sizes)
        places, groups = places[is_small], groups[is_small]
        begins = np.flatnonzero(np.diff(groups, prepend=-1))
        start = 0
        while start < len(places):
            fits = int(np.searchsorted(begins, start + _BLOCK, side="right")) - 1
            stop = len(places) if start + _BLOCK >= len(places) else int(begins[fits])
            self._settle(places[start:stop], groups[start:stop], agreed)
            start = stop
        return large

    def _parted(self, first: int, stop: int, agreed: int) -> list[tuple[int, int, int, int]] | None:
        """A group parted into reads before, with and after a long run of tokens that most of them share."""
        reads, members = self.reads, self.order[first:stop].tolist()
        sample = [reads[index][agreed:] for index in members[:: max(1, len(members) // _SAMPLED)]]
        width = _common(min(sample), max(sample))
        if width < _NARROW:
            return None
        upto, common = agreed + width, sample[0][:width]
        side = np.zeros(len(members), dtype=np.int8)
        others = [at for at, index in enumerate(members) if reads[index][agreed:upto] != common]
        if 2 * len(others) > len(members):
            return None
        side[others] = [1 if reads[members[at]][agreed:upto] > common else -1 for at in others]
        self.order[first:stop] = self.order[first:stop][np.argsort(side, kind="stable")]
        low, high = first + int((side < 0).sum()), stop - int((side > 0).sum())
        self.shared[low + 1 : high] = upto
        parts = [(first, low, agreed, _NARROW), (low, high, upto, _NARROW), (high, stop, agreed, _NARROW)]
        self.seams += [place for place in (low, high) if first < place < stop]
        return [part for part in parts if part[0] < part[1]]

    def _settle(self, places: Ints, groups: Ints, agreed: int) -> None:
        """Small groups, put into order for good."""
        width = _WIDE
        while len(places):
            places, groups = self._split(places, groups, agreed, width)
            agreed += width
            width = min(2 * width, max(_WIDE, _CELLS // max(1, len(places))))

    def _split(self, places: Ints, groups: Ints, agreed: int, width: int) -> tuple[Ints, Ints]:
        """Groups put into the order of their next tokens; returns those that these leave undecided.

        Args:
            places: int64 (n,), places of the order, those of a group side by side.
            groups: int64 (n,), which group each is of, rising.
            agreed: Tokens that the reads of a group share.
            width: How many more to look at.
        """
        members = self.order[places]
        tokens = self._tokens(members, groups, agreed, width)
        rank = np.argsort(tokens.view(f"S{4 * width + 4}").ravel(), kind="stable")
        self.order[places] = members[rank]
        tokens = tokens[rank, 1:]
        differ = tokens[1:] != tokens[:-1]
        at = differ.argmax(axis=1)
        is_same = ~differ[np.arange(len(at)), at]
        is_whole = is_same & (tokens[1:, -1] == 0)  # both end here: equal reads
        at[is_same] = width
        at[is_whole] = np.count_nonzero(tokens[1:][is_whole], axis=1)
        is_inner = groups[1:] == groups[:-1]
        self.shared[places[1:][is_inner]] = agreed + at[is_inner]
        is_open = np.zeros(len(places) + 1, dtype=bool)
        is_open[1:-1] = is_inner & is_same & ~is_whole
        undecided = is_open[1:] | is_open[:-1]
        return places[undecided], np.cumsum(~is_open[:-1])[undecided]

    def _tokens(self, members: Ints, groups: Ints, agreed: int, width: int) -> Ints:
        """Big-endian uint32 (n, 1 + width), whose bytes sort as the groups and their next tokens do.

        A token is written as its number plus one, so that an end sorts before every token.
        """
        tokens = np.zeros((len(members), 1 + width), dtype=">u4")
        tokens[:, 0] = groups
        upto = agreed + width
        for start in range(0, len(members), _BLOCK):
            some = members[start : start + _BLOCK]
            counts = np.clip(self.lengths[some] - agreed, 0, width)
            parts = [self.reads[index][agreed:upto].tobytes() for index in some.tolist()]
            flat = np.frombuffer(b"".join(parts), dtype=np.int32)
            tokens[start : start + _BLOCK, 1:][np.arange(width) < counts[:, None]] = flat + 1
        return tokens


def _common(one: array[int], other: array[int]) -> int:
    """Tokens that two reads share from their beginning."""
    width = min(len(one), len(other))
    differ = np.flatnonzero(
        np.frombuffer(one, dtype=np.int32)[:width] != np.frombuffer(other, dtype=np.int32)[:width]
    )
    return int(differ[0]) if len(differ) else width
