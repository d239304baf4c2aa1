"""One item, all its variants: the worst score, and whether every one is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UsageError
from harness.robustness.estimate import Estimate, mean_estimate, number_array, same_length
from harness.stats.cluster import cluster_codes


def worst_case(scores: Sequence[float | None], items: Sequence[str], *, level: float = 0.95) -> Estimate:
    """Mean over items of the lowest score among an item's variants, its source among them.

    Falls as variants are added, so two figures compare only at an equal number of variants. An item with a missing
    variant is missing; `n` counts items.

    Args:
        scores: Score of each variant, higher is better, in [0, 1]; None where missing.
        items: Source item of each.
        level: Coverage of the interval.

    Example:
        >>> worst_case([1.0, 0.0, 1.0, 1.0], ["a", "a", "b", "b"]).value
        0.5

    Source: HELM (Liang et al. 2022).
    """
    return _of_items(scores, items, lambda own: float(own.min()), level=level)


def all_right(rights: Sequence[bool | None], items: Sequence[str], *, level: float = 0.95) -> Estimate:
    """Share of items of which every variant is right; of a set whose gold answers differ, its contrast consistency.

    Args:
        rights: Whether each variant is right; None where missing.
        items: Source item of each.
        level: Coverage of the interval.

    Example:
        >>> all_right([True, True, True, False], ["a", "a", "b", "b"]).value
        0.5

    Source: CircularEval (OpenCompass); Gardner et al. 2020.
    """
    return _of_items(_numbers(rights), items, lambda own: float(own.min()), level=level)


def at_least_right(
    rights: Sequence[bool | None], items: Sequence[str], *, k: int, level: float = 0.95
) -> Estimate:
    """Share of items of which at least k variants are right.

    Args:
        rights: Whether each variant is right; None where missing.
        items: Source item of each.
        k: At least 1. An item with fewer variants never reaches it.
        level: Coverage of the interval.

    Raises:
        UsageError: If k is below 1.

    Example:
        >>> at_least_right([True, False, False, False], ["a", "a", "b", "b"], k=1).value
        0.5
    """
    if k < 1:
        raise UsageError(f"k must be at least 1, got {k}.")
    return _of_items(_numbers(rights), items, lambda own: float(own.sum() >= k), level=level)


def _numbers(rights: Sequence[bool | None]) -> list[float | None]:
    return [None if right is None else float(right) for right in rights]


def _of_items(
    scores: Sequence[float | None],
    items: Sequence[str],
    value_of: Callable[[NDArray[np.float64]], float],
    *,
    level: float,
) -> Estimate:
    array = number_array(scores)
    if same_length(scores=array, items=items) == 0:
        return Estimate(None, None, None, 0, 0, 0)
    codes = cluster_codes(items)
    order = np.argsort(codes, kind="stable")
    owned = np.split(array[order], np.flatnonzero(np.diff(codes[order])) + 1)
    values = [None if np.isnan(own).any() else value_of(own) for own in owned]
    return mean_estimate(values, [str(place) for place in range(len(values))], level=level)
