"""Passes of the model over a token trie: kept prefixes once, and everything after them in packed rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.engine.keeping import Prefixes, kept_prefixes
from harness.engine.pass_costs import PassCosts
from harness.engine.row_filling import PassShape, Row, filled_passes
from harness.engine.trie import Trie

Ints = np.ndarray[Any, np.dtype[Any]]

_TRIALS = 6  # sizes of rows that are tried after each prefix
_FEW_PREFIXES = 1000  # above this, one size


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
    stretches = _stretches(place, len(prefixes))
    depth = prefixes.depth.tolist()
    n_trials = _TRIALS if len(prefixes) <= _FEW_PREFIXES else 1
    for index in _depth_first(trie, prefixes):
        if index:
            source = int(prefixes.first[index])
            yield from _prefix(source, depth[prefixes.parent[index]], depth[index], pass_tokens)
        shape = PassShape(depth[index], row_tokens, pass_tokens, costs)
        for rows in filled_passes(trie, stretches[index], shape, n_trials=n_trials):
            yield from _rows(trie, rows, shape)


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


def _stretches(place: Ints, n_prefixes: int) -> list[list[tuple[int, int]]]:
    """Per prefix, the [first, stop) ranges of inputs that are read right after it."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(n_prefixes)]
    begins = np.flatnonzero(np.diff(place, prepend=-1))
    stops = np.append(begins[1:], len(place))
    for first, stop, index in zip(begins.tolist(), stops.tolist(), place[begins].tolist(), strict=True):
        found[index].append((first, stop))
    return found


def _rows(trie: Trie, rows: Sequence[Row], shape: PassShape) -> Iterator[Pass]:
    """A pass of rows; of one input that is longer than a pass, first what need not be scored."""
    depth, widest = shape.depth, rows[0]
    if widest.tokens > shape.pass_tokens:
        before = (widest.tokens - 1) // shape.pass_tokens * shape.pass_tokens
        depth = min(int(trie.keepable[widest.first]), shape.depth + before)
        yield from _prefix(widest.first, shape.depth, depth, shape.pass_tokens)
    yield InputsPass(depth, tuple((row.first, row.stop) for row in rows))
