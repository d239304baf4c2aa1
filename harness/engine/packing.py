"""Passes of the model over a token trie: kept prefixes once, and everything after them in packed rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.engine.keeping import Prefixes, kept_prefixes
from harness.engine.pass_costs import PassCosts
from harness.engine.trie import Trie

Ints = np.ndarray[Any, np.dtype[Any]]

_ROW_WASTE = 16  # tokens that a further row is reckoned to cost beside what it reads again


@dataclass(frozen=True, slots=True)
class PrefixPass:
    """Tokens [depth, upto) of an input, read after the kept first `depth` tokens of the same path.

    Its own keys and values are kept too; no position of it is scored.
    """

    input: int
    depth: int
    upto: int


@dataclass(frozen=True, slots=True)
class InputsPass:
    """Rows of consecutive inputs, each a packed forest read after the first `depth` tokens of the path.

    Args:
        depth: Kept tokens; 0: nothing is kept.
        rows: [first, stop) ranges of inputs. A row holds the input `first` from `depth` on, and of each later
            one what it does not share with the one before.
    """

    depth: int
    rows: tuple[tuple[int, int], ...]


Pass = PrefixPass | InputsPass


def passes(
    trie: Trie, *, row_tokens: int, pass_tokens: int, costs: PassCosts | None = None
) -> Iterator[Pass]:
    """Everything to be run, in order.

    The kept path is a stack: before a pass of depth d it is cut to d tokens, and those are the first d tokens
    of every input in the pass. Scored positions are always in a row. Every input is in exactly one row.

    Args:
        trie: What is to be read.
        row_tokens: Most tokens of a packed row, but for a row of one input. Rows of one input each with
            a small number, one row per pass with `pass_tokens`.
        pass_tokens: Most tokens of a pass, padding included; only the tokens after and at the first scored
            position of one input may be more.
        costs: What passes cost, to decide which prefixes are kept.
    """
    if not trie.n_inputs:
        return
    costs = costs or PassCosts()
    row_tokens = max(1, min(row_tokens, pass_tokens))
    prefixes, place = kept_prefixes(trie, row_tokens=row_tokens, pass_tokens=pass_tokens, costs=costs)
    rows = _rows_by_prefix(trie, prefixes, place, row_tokens)
    depth = prefixes.depth.tolist()
    for index in _depth_first(trie, prefixes):
        if index:
            source = int(prefixes.first[index])
            yield from _prefix(source, depth[prefixes.parent[index]], depth[index], pass_tokens)
        yield from _filled(trie, depth[index], rows[index], pass_tokens)


def row_tokens_of(trie: Trie, pass_: InputsPass, row: tuple[int, int]) -> int:
    """Tokens of a packed row, padding left out."""
    first, stop = row
    later = trie.lengths[first + 1 : stop] - np.maximum(trie.shared[first + 1 : stop], pass_.depth)
    return int(trie.lengths[first]) - pass_.depth + int(later.sum(dtype=np.int64))


def _depth_first(trie: Trie, prefixes: Prefixes) -> list[int]:
    """The prefixes, each before the longer ones; of several, those with the longest inputs first."""
    inside: list[list[int]] = [[] for _ in range(len(prefixes))]
    longest = [
        int(trie.lengths[first:stop].max())
        for first, stop in zip(prefixes.first.tolist(), prefixes.stop.tolist(), strict=True)
    ]
    for index in range(1, len(prefixes)):
        inside[prefixes.parent[index]].append(index)
    order: list[int] = []
    waiting = [0]
    while waiting:
        index = waiting.pop()
        order.append(index)
        waiting += sorted(inside[index], key=lambda one: (longest[one], -one))
    return order


def _prefix(source: int, depth: int, upto: int, pass_tokens: int) -> Iterator[PrefixPass]:
    for begin in range(depth, upto, pass_tokens):
        yield PrefixPass(source, begin, min(begin + pass_tokens, upto))


def _rows_by_prefix(
    trie: Trie, prefixes: Prefixes, place: Ints, row_tokens: int
) -> list[list[tuple[int, int, int]]]:
    """Per prefix, its rows as (tokens, first, stop)."""
    rows: list[list[tuple[int, int, int]]] = [[] for _ in range(len(prefixes))]
    begins = np.flatnonzero(np.diff(place, prepend=-1))
    stops = np.append(begins[1:], len(place))
    depths = prefixes.depth.tolist()
    for first, stop, index in zip(begins.tolist(), stops.tolist(), place[begins].tolist(), strict=True):
        rows[index] += _cut(trie, first, stop, depths[index], row_tokens)
    return rows


def _cut(trie: Trie, first: int, stop: int, depth: int, row_tokens: int) -> Iterator[tuple[int, int, int]]:
    """Rows of consecutive inputs, cut where little is shared across the cut."""
    again = np.maximum(trie.shared[first : stop + 1].astype(np.int64) - depth, 0)  # read again if cut before
    again[0] = 0
    if stop - first == len(again):
        again = np.append(again, 0)
    again[-1] = 0
    own = trie.lengths[first:stop] - depth - again[:-1]
    ends = np.cumsum(own)  # (stop - first,)
    at, last = 0, stop - first
    while at < last:
        before = int(ends[at - 1]) if at else 0
        extra = int(trie.lengths[first + at]) - depth - int(own[at])
        most = int(np.searchsorted(ends, before + row_tokens - extra, side="right"))
        if most >= last:
            end = last
        elif most <= at + 1:
            end = at + 1
        else:
            covered = ends[at:most] - before
            wasted = (again[at + 1 : most + 1] + (extra + _ROW_WASTE)) / covered
            end = at + 1 + len(wasted) - 1 - int(np.argmin(wasted[::-1]))
        yield int(ends[end - 1]) - before + extra, first + at, first + end
        at = end


def _filled(trie: Trie, depth: int, rows: list[tuple[int, int, int]], pass_tokens: int) -> Iterator[Pass]:
    """Passes of rows of like sizes, the largest first."""
    rows = sorted(rows, key=lambda row: (-row[0], row[1]))
    start = 0
    while start < len(rows):
        width, first, stop = rows[start]
        if width > pass_tokens:
            keepable = int(trie.lengths[first] - trie.n_scored[first])
            upto = min(keepable, depth + (width - 1) // pass_tokens * pass_tokens)
            yield from _prefix(first, depth, upto, pass_tokens)
            yield InputsPass(max(upto, depth), ((first, stop),))
            start += 1
            continue
        count = max(1, pass_tokens // width)
        yield InputsPass(depth, tuple((first, stop) for _, first, stop in rows[start : start + count]))
        start += count
