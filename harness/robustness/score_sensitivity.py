"""How far an item's score moves between its variants (prompt sensitivity score)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.robustness.estimate import Estimate, mean_estimate, number_array, same_length


def score_sensitivity(
    scores: Sequence[float | None], items: Sequence[str], *, level: float = 0.95
) -> Estimate:
    """Mean over items of the mean absolute difference between the scores of two of its variants.

    0 is steady, also for a model that is always wrong: read it beside the score. `n` counts items; one with fewer than
    two scored variants is missing.

    Args:
        scores: Score of each variant in [0, 1]; None where missing.
        items: Source item of each.
        level: Coverage of the interval.

    Example:
        >>> score_sensitivity([1.0, 0.0, 0.0, 1.0, 1.0, 1.0], list("aaabbb")).value  # 2/3 and 0
        0.3333333333333333

    Source: ProSA (Zhuo et al. 2024).
    """
    array = number_array(scores)
    same_length(scores=array, items=items)
    own: dict[str, list[float]] = {}
    for score, item in zip(array.tolist(), items, strict=True):
        own.setdefault(item, [])
        if score == score:
            own[item].append(score)
    values = [_mean_distance(np.sort(np.array(given))) for given in own.values()]
    return mean_estimate(values, list(own), level=level)


def _mean_distance(ordered: np.ndarray) -> float | None:
    n = ordered.size
    if n < 2:
        return None
    # Of sorted values, the k-th is subtracted n-1-k times and added k times.
    weights = 2 * np.arange(n) - (n - 1)
    return float((weights * ordered).sum()) / (n * (n - 1) / 2)
