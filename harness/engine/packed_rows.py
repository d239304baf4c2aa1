"""What one pass reads, as arrays: rows of nodes, a node per token not yet computed, in depth-first order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.engine.trie import Trie

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Rows of nodes, padded on the right with nodes that nobody attends to.

    Args:
        depth: Tokens kept before every row.
        tokens: (rows, width) token ids.
        positions: (rows, width) positions in the inputs.
        ends: (rows, width); node i of a row attends to node j if and only if j <= i < ends[j].
        scored: (n,) nodes in the flattened rows that are looked at, input after input.
        n_scored: (inputs,) how many of `scored` belong to each input of the pass, in order.
        is_chain: Whether every row holds one input, so that plain causal attention is right.
    """

    depth: int
    tokens: Integers
    positions: Integers
    ends: Integers
    scored: Integers
    n_scored: Integers
    is_chain: bool


def packed_rows(trie: Trie, depth: int, rows: Sequence[tuple[int, int]]) -> PackedRows:
    """Lays out consecutive inputs [first, stop) per row, from `depth` on.

    Args:
        trie: The inputs.
        depth: Tokens that all of them share and that are kept.
        rows: Ranges of inputs; each row's first input stands whole from `depth` on, each later one without
            what it shares with the one before.
    """
    is_chain = all(stop - first == 1 for first, stop in rows)
    laid = [_row(trie, depth, first, stop) for first, stop in rows]
    width = max(len(tokens) for tokens, *_ in laid)
    shape = (len(rows), width)
    tokens = np.zeros(shape, dtype=np.int64)
    positions = np.empty(shape, dtype=np.int64)
    ends = np.empty(shape, dtype=np.int64)
    nodes = np.arange(width, dtype=np.int64)
    scored = []
    for index, (own_tokens, own_positions, own_ends, own_scored) in enumerate(laid):
        length = len(own_tokens)
        tokens[index, :length] = own_tokens
        positions[index, :length] = own_positions
        # Padding must stay inside the context; rows of one input each are read without a mask of ours.
        positions[index, length:] = depth + nodes[length:] if is_chain else 0
        ends[index, :length] = own_ends
        ends[index, length:] = nodes[length:] + 1
        scored.append(own_scored + index * width)
    return PackedRows(
        depth,
        tokens,
        positions,
        ends,
        np.concatenate(scored),
        np.concatenate([trie.n_scored[first:stop] for first, stop in rows]).astype(np.int64),
        is_chain,
    )


def _row(trie: Trie, depth: int, first: int, stop: int) -> tuple[Integers, Integers, Integers, Integers]:
    """Tokens, positions, ends and scored nodes of one row."""
    lengths = trie.lengths[first:stop].astype(np.int64)
    begins = np.maximum(trie.shared[first:stop].astype(np.int64), depth)
    begins[0] = depth
    sizes = lengths - begins
    offsets = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=offsets[1:])
    total = int(offsets[-1])
    nodes = np.arange(total, dtype=np.int64)
    positions = nodes + np.repeat(begins - offsets[:-1], sizes)
    tokens = trie.packed(first, stop, depth).astype(np.int64)
    if len(sizes) == 1:
        ends = np.full(total, total, dtype=np.int64)
        return tokens, positions, ends, nodes[total - int(trie.n_scored[first]) :]
    ends, scored = _walked(
        begins - depth, lengths - depth, offsets, trie.n_scored[first:stop].astype(np.int64)
    )
    return tokens, positions, ends, scored


def _walked(
    begins: Integers, stops: Integers, offsets: Integers, n_scored: Integers
) -> tuple[Integers, Integers]:
    """Where each node's subtree ends, and the nodes at which each input is looked at.

    Args:
        begins: (inputs,) where each input leaves the path of the one before, counted from the kept depth.
        stops: (inputs,) its length, counted likewise.
        offsets: (inputs + 1,) its first node.
        n_scored: (inputs,) how many of its last positions are looked at.
    """
    total = int(offsets[-1])
    nodes = np.arange(total, dtype=np.int64)
    ends = np.full(total, total, dtype=np.int64)
    path = np.empty(int(stops.max()), dtype=np.int64)  # the node at each place of the present input
    scored = np.empty(int(n_scored.sum()), dtype=np.int64)
    length = done = 0
    for begin, stop, node, after, count in zip(
        begins.tolist(),
        stops.tolist(),
        offsets.tolist(),
        offsets[1:].tolist(),
        n_scored.tolist(),
        strict=False,
    ):
        ends[path[begin:length]] = node
        path[begin:stop] = nodes[node:after]
        length = stop
        scored[done : done + count] = path[stop - count : stop]
        done += count
    return ends, scored
