"""Two runs' scores checked and lined up into pairs; the tests come after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.cluster import cluster_codes

# Differences this far below the scores' own size are rounding of equal scores.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Pairs:
    """Checked scores of two runs in one order.

    Attributes:
        baseline: Shape (n,).
        candidate: Shape (n,).
        differences: Candidate minus baseline, shape (n,); 0 where they differ by rounding only.
        codes: Cluster number of each pair, 0..G-1, shape (n,).
        span: Highest minus lowest possible score; None where a bound is missing.
    """

    baseline: NDArray[np.float64]
    candidate: NDArray[np.float64]
    differences: NDArray[np.float64]
    codes: NDArray[np.intp]
    span: float | None


def line_up(
    baseline: ArrayLike,
    candidate: ArrayLike,
    clusters: Sequence[str] | NDArray[np.generic],
    *,
    binary: bool,
    bounds: tuple[float | None, float | None],
) -> Pairs:
    """Check two runs' scores and return them as pairs.

    Raises:
        EmptyComparison: Without pairs.
        UsageError: On unequal lengths, missing values, or scores out of bounds.

    Example:
        >>> line_up([0, 1], [1, 1], ["a", "b"], binary=True, bounds=(0, 1)).differences.tolist()
        [1.0, 0.0]
    """
    span = _span(bounds, binary=binary)
    before = _checked_scores("baseline", baseline, bounds, binary=binary)
    after = _checked_scores("candidate", candidate, bounds, binary=binary)
    codes = cluster_codes(clusters)
    if not before.size == after.size == codes.size:
        raise UsageError(
            f"Pairs must line up: {before.size} baseline scores, {after.size} candidate scores, "
            f"{codes.size} cluster labels."
        )
    differences = after - before
    differences[np.abs(differences) <= _ROUNDING * np.maximum(np.abs(before), np.abs(after))] = 0.0
    return Pairs(before, after, differences, codes, span)


def _span(bounds: tuple[float | None, float | None], *, binary: bool) -> float | None:
    lowest, highest = bounds
    if lowest is None or highest is None:
        if binary:
            raise UsageError(f"0-1 scores need both bounds, such as (0, 1); got {bounds}.")
        return None
    if not lowest < highest:
        raise UsageError(f"Bounds must rise, such as (0, 1); got {bounds}.")
    return float(highest) - float(lowest)


def _checked_scores(
    run: str, scores: ArrayLike, bounds: tuple[float | None, float | None], *, binary: bool
) -> NDArray[np.float64]:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1:
        raise UsageError(f"The {run}'s scores must be one-dimensional, got shape {array.shape}.")
    if array.size == 0:
        raise EmptyComparison(f"The {run} has no scores to compare; the runs share no scored variant.")
    if not np.isfinite(array).all():
        position = int(np.flatnonzero(~np.isfinite(array))[0])
        raise UsageError(
            f"Score {position} of the {run} is {array[position]}; leave pairs with a missing score out."
        )
    lowest, highest = bounds
    slack = 1e-9
    is_out = np.zeros(array.size, dtype=bool)
    if lowest is not None:
        is_out |= array < lowest - slack
    if highest is not None:
        is_out |= array > highest + slack
    if binary:
        is_out |= (array != lowest) & (array != highest)
    if is_out.any():
        position = int(np.flatnonzero(is_out)[0])
        kind = "one of the two bounds" if binary else "within the bounds"
        raise UsageError(f"Score {position} of the {run} is {array[position]}, not {kind} {bounds}.")
    return array
