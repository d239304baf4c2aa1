"""How much a plan of passes computes, and which size of rows costs least."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.engine.packing import InputsPass, Pass, passes, row_tokens_of
from harness.engine.pass_costs import PassCosts
from harness.engine.trie import Trie

ROW_TOKENS = (128, 256, 512, 1024, 2048)

_SAMPLED = 16_384  # inputs that tell what size of rows suits all of them
_SLICES = 4  # stretches of neighbours that the sample is made of


@dataclass(frozen=True, slots=True)
class PlanSize:
    """What passes compute, all together.

    Args:
        n_passes: Passes, those of prefixes included.
        n_prefix_passes: Of these, passes of prefixes.
        n_rows: Packed rows.
        tokens: Tokens through the model, padding left out; at least the distinct tokens.
        padded_tokens: The same with padding.
        cells: Pairs of a query and a key, padded and masked ones included.
        most_tokens: Tokens of the largest pass, padding included.
        cost: In the unit of the given costs.
    """

    n_passes: int
    n_prefix_passes: int
    n_rows: int
    tokens: int
    padded_tokens: int
    cells: int
    most_tokens: int
    cost: float


def plan_size(trie: Trie, plan: Iterable[Pass], *, costs: PassCosts | None = None) -> PlanSize:
    """Adds up passes.

    Example:
        >>> from array import array
        >>> from harness.engine.trie import trie_of
        >>> trie = trie_of([array("i", [1, 2, 3]), array("i", [1, 2, 4, 5])], [1, 1])
        >>> size = plan_size(trie, passes(trie, row_tokens=8, pass_tokens=8))
        >>> size.n_passes, size.tokens, size.padded_tokens, size.cells
        (1, 5, 5, 25)
    """
    costs = costs or PassCosts()
    shapes: list[tuple[int, int, int]] = []  # rows, width, depth
    tokens = n_prefix = 0
    for step in plan:
        if isinstance(step, InputsPass):
            widths = [row_tokens_of(trie, step, row) for row in step.rows]
        else:
            widths = [step.upto - step.depth]
            n_prefix += 1
        tokens += sum(widths)
        shapes.append((len(widths), max(widths), step.depth))
    padded = [n_rows * width for n_rows, width, _ in shapes]
    return PlanSize(
        n_passes=len(shapes),
        n_prefix_passes=n_prefix,
        n_rows=sum(n_rows for n_rows, _, _ in shapes) - n_prefix,
        tokens=tokens,
        padded_tokens=sum(padded),
        cells=sum(n_rows * width * (depth + width) for n_rows, width, depth in shapes),
        most_tokens=max(padded, default=0),
        cost=sum(costs.of(n_rows=n_rows, width=width, depth=depth) for n_rows, width, depth in shapes),
    )


def least_cost(trie: Trie, *, pass_tokens: int, costs: PassCosts | None = None) -> float:
    """What no plan can go below: every distinct token once, before only its own keys, in full passes.

    Example:
        >>> from array import array
        >>> from harness.engine.trie import trie_of
        >>> trie = trie_of([array("i", [1, 2, 3]), array("i", [1, 2, 4, 5])], [1, 1])
        >>> least_cost(trie, pass_tokens=4, costs=PassCosts(token=1, cell=0.5, one_pass=10))
        31.5
    """
    costs = costs or PassCosts()
    lengths, shared = trie.lengths.astype(np.int64), trie.shared.astype(np.int64)
    cells = int((lengths * (lengths + 1) - shared * (shared + 1)).sum()) // 2  # a token at p sees p + 1 keys
    n_passes = -(-trie.n_distinct_tokens // pass_tokens)
    return costs.token * trie.n_distinct_tokens + costs.cell * cells + costs.one_pass * n_passes


def chosen_row_tokens(
    trie: Trie,
    *,
    pass_tokens: int,
    costs: PassCosts | None = None,
    candidates: Sequence[int] = ROW_TOKENS,
) -> int:
    """The size of rows whose plan costs least; of a large trie, judged by a few stretches of it.

    Args:
        trie: What is to be read.
        pass_tokens: Most tokens of a pass, padding included; larger candidates count as this.
        costs: What passes cost, best as measured on the device.
        candidates: Sizes to choose from, at least one. Of equals, the first is chosen.
    """
    costs = costs or PassCosts()
    part = _sample(trie)
    sizes = list(dict.fromkeys(min(size, pass_tokens) for size in candidates))

    def cost(row_tokens: int) -> float:
        plan = passes(part, row_tokens=row_tokens, pass_tokens=pass_tokens, costs=costs)
        return plan_size(part, plan, costs=costs).cost

    return min(sizes, key=cost)


def _sample(trie: Trie) -> Trie:
    """A few stretches of neighbouring inputs, evenly spread; all of a small trie."""
    if trie.n_inputs <= _SAMPLED:
        return trie
    size, step = _SAMPLED // _SLICES, trie.n_inputs // _SLICES
    starts = np.arange(_SLICES) * step
    places = (starts[:, None] + np.arange(size)).ravel()
    shared = trie.shared[places]
    for slice_, start in enumerate(starts.tolist()):  # what all inputs in the gap before it share
        begin = start - step + size
        shared[slice_ * size] = trie.shared[begin : start + 1].min() if slice_ else 0
    return Trie(
        inputs=tuple(trie.inputs[place] for place in places.tolist()),
        lengths=trie.lengths[places],
        shared=shared,
        n_scored=trie.n_scored[places],
        of_read=np.arange(len(places)),
    )
