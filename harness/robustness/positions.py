"""Score against the place of the key information, and what the curve's shape says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.robustness.cells import cells, dealt_anew
from harness.robustness.estimate import Estimate, difference_interval, mean_estimate, same_length
from harness.stats.mean import exact_mean

DRAWS = 500
QUARTERS = 4


@dataclass(frozen=True, slots=True)
class PositionCurve:
    """The curve, and two numbers of its shape.

    The curve is over realised positions, which differ between items of different length; for its shape they are taken
    to the nearest quarter, on the items asked at every quarter that any was asked at.

    Attributes:
        positions: Where the key stands, 0 first to 1 last, ascending.
        scores: One estimate a position, of whatever items were asked there.
        u_index: Mean of both ends less the lowest score between them; needs three quarters.
        u_null: Its mean where position does not matter, which lies above 0 since the lowest is picked.
        u_p: How often an index so large comes about without any effect.
        primacy_recency: First less last; above 0 the beginning is favoured.
    """

    positions: tuple[float, ...]
    scores: tuple[Estimate, ...]
    u_index: Estimate
    u_null: float | None
    u_p: float | None
    primacy_recency: Estimate


def position_curve(
    scores: Sequence[float | None],
    items: Sequence[str],
    positions: Sequence[float],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> PositionCurve:
    """The curve over positions, with intervals.

    The interval of the U-index holds for every place between the ends at once: the lowest is picked after looking.

    Args:
        scores: Score of each variant in [0, 1]; None where missing.
        items: Source item of each.
        positions: Realised position of each.
        draws: Times that each item's scores are dealt anew among the positions, for the null.
        seed: Of those draws.
        level: Coverage of the intervals.

    Example:
        >>> found = position_curve([1.0, 0.0, 1.0] * 4, [f"q{n // 3}" for n in range(12)], [0.0, 0.5, 1.0] * 4)
        >>> [point.value for point in found.scores], found.u_index.value, found.primacy_recency.value
        ([1.0, 0.0, 1.0], 1.0, 0.0)

    Source: Liu et al. 2023 (curve); the indices are ours.
    """
    same_length(scores=scores, items=items, positions=positions)
    order = sorted(set(positions))
    curve = []
    for position in order:
        own = [place for place, at in enumerate(positions) if at == position]
        curve.append(
            mean_estimate([scores[place] for place in own], [items[place] for place in own], level=level)
        )
    quarters = [round(QUARTERS * position) / QUARTERS for position in positions]
    found = cells(scores, items, quarters, order=sorted(set(quarters))).complete()
    table = found.table
    nothing = Estimate(None, None, None, found.n, table.size, len(table))
    if table.shape[1] < 2 or not len(table):
        return PositionCurve(tuple(order), tuple(curve), nothing, None, None, nothing)
    gap = table[:, 0] - table[:, -1]
    low, high = difference_interval(gap, level=level)
    primacy = Estimate(exact_mean(gap), low, high, found.n, table.size, len(table))
    if table.shape[1] < 3:
        return PositionCurve(tuple(order), tuple(curve), nothing, None, None, primacy)
    value, low, high = _u_index(table, level=level)
    null = dealt_anew(found, _sag, draws=draws, seed=seed)
    return PositionCurve(
        positions=tuple(order),
        scores=tuple(curve),
        u_index=Estimate(value, low, high, found.n, table.size, len(table)),
        u_null=float(null.mean()),
        u_p=float(1 + (null >= value - 1e-12).sum()) / (1 + draws),
        primacy_recency=primacy,
    )


def _u_index(table: np.ndarray, *, level: float) -> tuple[float, float, float]:
    """The index and ends that hold for all places between at once."""
    sags = (table[:, 0] + table[:, -1])[:, None] / 2 - table[:, 1:-1]
    each = 1 - (1 - level) / sags.shape[1]
    ends = [difference_interval(sags[:, place], level=each) for place in range(sags.shape[1])]
    return float(sags.mean(axis=0).max()), max(low for low, _ in ends), max(high for _, high in ends)


def _sag(means: np.ndarray) -> float:
    return float((means[0] + means[-1]) / 2 - means[1:-1].min())
