"""Inputs cut into rows of packed tokens, and rows of like sizes put together into passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.engine.pass_costs import PassCosts
from harness.engine.trie import Trie

_ROW_COST = 16  # tokens that one more row is reckoned to cost beside what it reads again
_FEW_ROWS = 64  # up to so many, several sizes are tried and the padding is made least


class Row(NamedTuple):
    """A packed row: the inputs [first, stop) and how many tokens they take.

    Args:
        tokens: Tokens after the kept ones, each distinct one counted once.
        first: Its first input.
        stop: One past its last.
    """

    tokens: int
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class PassShape:
    """What a pass may hold.

    Args:
        depth: Tokens kept before it.
        row_tokens: Most tokens of a row of several inputs.
        pass_tokens: Most tokens of a pass, padding included.
        costs: What passes cost.
    """

    depth: int
    row_tokens: int
    pass_tokens: int
    costs: PassCosts


def filled_passes(
    trie: Trie, stretches: Sequence[tuple[int, int]], shape: PassShape, *, n_trials: int
) -> list[list[Row]]:
    """All inputs that are read after one kept prefix, in passes of rows, those with the widest rows first.

    A few rows are cut to several sizes, down to half of what is allowed, and the cheapest passes are taken.

    Args:
        trie: Where the inputs are from.
        stretches: [first, stop) ranges of inputs that all begin with the kept tokens.
        shape: What a pass may hold.
        n_trials: How many sizes of rows to try.
    """
    best: list[list[Row]] = []
    least = float("inf")
    for trial in range(n_trials):
        most = max(1, shape.row_tokens - shape.row_tokens * trial // (2 * n_trials))
        rows = [row for first, stop in stretches for row in cut_rows(trie, first, stop, shape.depth, most)]
        rows.sort(key=lambda row: (-row.tokens, row.first))
        cost, found = _grouped(rows, shape)
        if cost < least:
            least, best = cost, found
        if len(rows) > _FEW_ROWS or len(rows) == sum(stop - first for first, stop in stretches):
            break
    return best


def cut_rows(trie: Trie, first: int, stop: int, depth: int, row_tokens: int) -> Iterator[Row]:
    """Rows of consecutive inputs, cut where few tokens are shared across the cut and so read again.

    Each row ends where the tokens read again, by it and by the next, are fewest per token it covers.
    """
    again = np.zeros(stop - first + 1, dtype=np.int64)  # what is read again if cut before each input
    again[1:-1] = np.maximum(trie.shared[first + 1 : stop] - depth, 0)
    ends = np.cumsum(trie.lengths[first:stop] - depth - again[:-1])  # new tokens up to and with each input
    at, last, before = 0, stop - first, 0
    while at < last:
        extra = int(again[at])
        most = int(np.searchsorted(ends, before + row_tokens - extra, side="right"))
        if most >= last:
            end = last
        elif most <= at + 1:
            end = at + 1
        else:
            wasted = (again[at + 1 : most + 1] + (extra + _ROW_COST)) / (ends[at:most] - before)
            end = most - int(np.argmin(wasted[::-1]))
        upto = int(ends[end - 1])
        yield Row(upto - before + extra, first + at, first + end)
        at, before = end, upto


def _grouped(rows: Sequence[Row], shape: PassShape) -> tuple[float, list[list[Row]]]:
    """Rows, the widest first, in passes: filled one after another, and the last few at the least cost."""
    found: list[list[Row]] = []
    start = 0
    while len(rows) - start > _FEW_ROWS:
        count = max(1, shape.pass_tokens // rows[start].tokens)
        found.append(list(rows[start : start + count]))
        start += count
    found += _cheapest(rows[start:], shape)
    return sum(_cost(len(group), group[0].tokens, shape) for group in found), found


def _cheapest(rows: Sequence[Row], shape: PassShape) -> list[list[Row]]:
    """Rows, the widest first, cut into passes of neighbours at the least cost: the best way from each on."""
    least = [0.0] * (len(rows) + 1)
    count = [0] * len(rows)
    for at in range(len(rows) - 1, -1, -1):
        width = rows[at].tokens
        most = min(len(rows) - at, max(1, shape.pass_tokens // width))
        least[at], negative = min(
            (_cost(some, width, shape) + least[at + some], -some) for some in range(1, most + 1)
        )
        count[at] = -negative
    found, at = [], 0
    while at < len(rows):
        found.append(list(rows[at : at + count[at]]))
        at += count[at]
    return found


def _cost(n_rows: int, width: int, shape: PassShape) -> float:
    return shape.costs.of(n_rows=n_rows, width=width, depth=shape.depth)
