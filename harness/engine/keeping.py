"""Which shared prefixes are computed once and kept, and which inputs are read after each."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.engine.pass_costs import PassCosts
from harness.engine.trie import Trie

Ints = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Prefixes shared by neighbouring inputs, parents before children; the first is the empty one, of all.

    Args:
        first: int64 (n,), the first input that begins with the prefix.
        stop: int64 (n,), one past the last.
        shared: int64 (n,), tokens that all of them share.
        depth: int64 (n,), tokens of the prefix, at most `shared`.
        parent: int64 (n,), the next shorter prefix around it; -1 for the first.
    """

    first: Ints
    stop: Ints
    shared: Ints
    depth: Ints
    parent: Ints

    def __len__(self) -> int:
        return len(self.first)

    def only(self, kept: Ints) -> Prefixes:
        """Some of the prefixes, the first among them; `kept` is bool (n,)."""
        places = np.flatnonzero(kept)
        parent = self.parent.copy()
        for index in range(1, len(parent)):  # parents stand before their children
            if not kept[parent[index]]:
                parent[index] = parent[parent[index]]
        renamed = np.cumsum(kept) - 1
        return Prefixes(
            self.first[places],
            self.stop[places],
            self.shared[places],
            self.depth[places],
            np.where(places > 0, renamed[parent[places]], -1),
        )


def kept_prefixes(
    trie: Trie, *, row_tokens: int, pass_tokens: int, costs: PassCosts
) -> tuple[Prefixes, Ints]:
    """The prefixes worth keeping, and per input which of them it is read after.

    A prefix is worth a pass of its own if reading it again in every row that needs it costs more.
    An input is read after the longest of its kept prefixes that ends before its first scored position.

    Returns:
        The prefixes and int64 (n_inputs,), indices into them.
    """
    first, stop, shared = np.array(_intervals(trie.shared.tolist()), dtype=np.int64).reshape(-1, 3).T
    ends = np.cumsum(trie.lengths - trie.shared, dtype=np.int64)  # nodes of the trie up to each input
    tokens = trie.lengths[first] - shared + ends[stop - 1] - ends[first]  # nodes after each prefix

    def could_pay(before: Ints) -> Ints:
        saved = (stop - first - 1) * (shared - before) * (costs.token + costs.cell * (shared + row_tokens))
        return (shared - before + tokens > row_tokens) & (saved > costs.one_pass)

    def worth_keeping(chosen: Ints) -> Prefixes:
        found = _with_depths(trie, _nested(first[chosen], stop[chosen], shared[chosen], trie.n_inputs))
        return found.only(_worth(trie, found, row_tokens=row_tokens, pass_tokens=pass_tokens, costs=costs))

    # First those that no row holds; then those that do not fit a row together with what stands before them.
    is_wide = tokens > row_tokens
    found = worth_keeping(is_wide & could_pay(np.zeros_like(shared)))
    is_long = ~is_wide & could_pay(found.depth[_innermost(trie, found)][first])
    if is_long.any():
        is_kept = np.isin(
            first * (trie.n_inputs + 1) + stop, found.first[1:] * (trie.n_inputs + 1) + found.stop[1:]
        )
        found = worth_keeping((is_wide & is_kept) | is_long)
    return found, _read_after(trie, found)


def _nested(first: Ints, stop: Ints, shared: Ints, n_inputs: int) -> Prefixes:
    """Prefixes in the order of `Prefixes`, with the empty one before them."""
    order = np.lexsort((-stop, first))
    zero = np.zeros(1, dtype=np.int64)
    first = np.concatenate([zero, first[order]])
    stop = np.concatenate([zero + n_inputs, stop[order]])
    shared = np.concatenate([zero, shared[order]])
    parent = np.full(len(first), -1, dtype=np.int64)
    ends = stop.tolist()
    around: list[int] = [0]
    for index, (begin, end) in enumerate(zip(first[1:].tolist(), ends[1:], strict=True), 1):
        while ends[around[-1]] < end or ends[around[-1]] <= begin:
            around.pop()
        parent[index] = around[-1]
        around.append(index)
    return Prefixes(first, stop, shared, shared.copy(), parent)


def _intervals(shared: list[int]) -> list[tuple[int, int, int]]:
    """(first, stop, shared) of every branching prefix: a sweep with the open ones on a stack."""
    closed: list[tuple[int, int, int]] = []
    starts, depths = [0], [0]
    for index, depth in enumerate(shared):
        begin = index - 1
        while depths[-1] > depth:
            begin = starts.pop()
            closed.append((begin, index, depths.pop()))
        if depths[-1] < depth:
            starts.append(begin)
            depths.append(depth)
    while len(depths) > 1:
        closed.append((starts.pop(), len(shared), depths.pop()))
    return closed


def _innermost(trie: Trie, prefixes: Prefixes) -> Ints:
    """int64 (n_inputs,), the longest of the prefixes that each input begins with."""
    place = np.zeros(trie.n_inputs, dtype=np.int64)
    for index in range(1, len(prefixes)):  # children after their parents
        place[prefixes.first[index] : prefixes.stop[index]] = index
    return place


def _read_after(trie: Trie, prefixes: Prefixes) -> Ints:
    """int64 (n_inputs,), the longest of the prefixes that ends before each input's first scored position."""
    place = _innermost(trie, prefixes)
    keepable = trie.keepable
    while len(late := np.flatnonzero(prefixes.depth[place] > keepable)):
        place[late] = prefixes.parent[place[late]]
    return place


def _with_depths(trie: Trie, prefixes: Prefixes) -> Prefixes:
    """Each prefix cut where its inputs' scored positions begin, so that most tokens are saved; some none."""
    keepable = trie.keepable.astype(np.int64)
    place = _innermost(trie, prefixes)
    early = np.flatnonzero(prefixes.shared[place] > keepable)
    owners, limits = [], []
    at = place[early]
    while len(early):
        owners.append(at)
        limits.append(keepable[early])
        at = prefixes.parent[at]
        still = prefixes.shared[at] > keepable[early]
        early, at = early[still], at[still]
    if not owners:
        return prefixes
    owner, limit = np.concatenate(owners), np.concatenate(limits)
    order = np.lexsort((limit, owner))
    owner, limit = owner[order], limit[order]
    n_inputs = prefixes.stop - prefixes.first
    outer = prefixes.shared[prefixes.parent]  # of the empty prefix: unused
    begins = np.searchsorted(owner, owner)  # where each prefix's limits begin
    saved = (n_inputs[owner] - (np.arange(len(owner)) - begins)) * (limit - outer[owner])
    depth = prefixes.depth.copy()
    best = (n_inputs - np.bincount(owner, minlength=len(depth))) * (depth - outer)
    for at_, limit_, saved_ in zip(owner.tolist(), limit.tolist(), saved.tolist(), strict=True):
        if saved_ > best[at_]:
            depth[at_], best[at_] = limit_, saved_
    fits = best > 0
    fits[0] = True
    return Prefixes(prefixes.first, prefixes.stop, prefixes.shared, depth, prefixes.parent).only(fits)


def _worth(trie: Trie, prefixes: Prefixes, *, row_tokens: int, pass_tokens: int, costs: PassCosts) -> Ints:
    """bool (n,), which prefixes to keep: all at first, then the least worthy is dropped until all pay.

    What a dropped prefix held goes to the next shorter one, which only gains by it; so does every longer
    one, whose own pass grows. Hence a prefix that pays once pays for good.
    """
    tokens, n_direct = _direct(trie, prefixes)
    n_children = np.bincount(prefixes.parent[1:], minlength=len(prefixes)).tolist()
    depth, parent = prefixes.depth.tolist(), prefixes.parent.tolist()
    kept = [True] * len(prefixes)

    def n_rows(index: int, longer: int) -> int:
        """Rows of the inputs right after a prefix if each begins with so many tokens more."""
        return min(-(-tokens[index] // max(1, row_tokens - longer)), n_direct[index])

    def gain(index: int) -> float:
        while not kept[parent[index]]:
            parent[index] = parent[parent[index]]
        saved = depth[index] - depth[parent[index]]
        each = costs.token + costs.cell * (depth[parent[index]] + row_tokens)
        n_passes = -(-saved // pass_tokens) + (n_direct[index] > 0)
        return (n_rows(index, saved) + n_children[index] - 1) * saved * each - n_passes * costs.one_pass

    heap = [(gain(index), index) for index in range(1, len(prefixes))]  # of equals, the shortest is dropped
    heapq.heapify(heap)
    while heap:
        before, index = heapq.heappop(heap)
        now = gain(index)
        if now > 0:
            continue
        if now > before:
            heapq.heappush(heap, (now, index))
            continue
        outer = parent[index]
        longer = depth[index] - depth[outer]
        kept[index] = False
        n_children[outer] += n_children[index] - 1
        n_direct[outer] += n_direct[index]
        tokens[outer] += tokens[index] + longer * n_rows(index, longer)
    return np.array(kept, dtype=bool)


def _direct(trie: Trie, prefixes: Prefixes) -> tuple[list[int], list[int]]:
    """Per prefix, of the inputs that would be read right after it: distinct tokens, and how many inputs."""
    place = _read_after(trie, prefixes)
    depth = prefixes.depth[place]
    again = np.where(np.diff(place, prepend=-1) == 0, np.maximum(trie.shared, depth), depth)
    tokens = np.bincount(place, weights=trie.lengths - again, minlength=len(prefixes))
    return tokens.astype(np.int64).tolist(), np.bincount(place, minlength=len(prefixes)).tolist()
