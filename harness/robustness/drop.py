"""What is lost when the prompt changes: absolute, corrected for guessing, and as a share of what was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UsageError
from harness.robustness.estimate import (
    Estimate,
    difference_interval,
    mean_estimate,
    number_array,
    ratio_interval,
    same_length,
)
from harness.stats.cluster import cluster_codes, cluster_means
from harness.stats.mean import exact_mean


@dataclass(frozen=True, slots=True)
class Drop:
    """The score before and after, and the three ways to state the loss; positive is a loss.

    Attributes:
        clean: Score of the sources, on the items that have both.
        changed: Score of their variants.
        absolute: clean - changed.
        corrected: The loss as a share of what the sources score above chance; None without chance, or where the
            sources are not above it.
        relative: The loss as a share of the sources' score (performance drop rate); None where that is 0.
    """

    clean: Estimate
    changed: Estimate
    absolute: Estimate
    corrected: Estimate | None
    relative: Estimate


def drop(
    scores: Sequence[float | None],
    source_scores: Sequence[float | None],
    items: Sequence[str],
    *,
    chance: Sequence[float] | float | None = None,
    level: float = 0.95,
) -> Drop:
    """The loss from the sources to their variants, paired by source item.

    The ratios are ratios of means, not means of ratios. Their intervals are Fieller's, at least as wide as that of the
    absolute loss, and there is none where the denominator cannot be told from 0.

    Args:
        scores: Score of each variant in [0, 1], shape (n,); None where missing.
        source_scores: Score of the source of each variant's item.
        items: Source item of each.
        chance: What guessing scores on each variant, or on all.
        level: Coverage of the intervals.

    Raises:
        UsageError: On unequal lengths, scores out of bounds, or chance outside [0, 1).

    Example:
        >>> found = drop([1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0], list("abcd"), chance=0.25)
        >>> found.absolute.value, found.corrected.value, round(found.relative.value, 3)
        (0.5, 1.0, 0.667)

    Source: Zhu et al. 2023 (performance drop rate).
    """
    after, before = number_array(scores), number_array(source_scores)
    n = same_length(scores=after, source_scores=before, items=items)
    guessed = None if chance is None else np.broadcast_to(np.asarray(chance, dtype=np.float64), (n,))
    _check(after, before, guessed)
    there = ~np.isnan(after) & ~np.isnan(before)
    names = np.asarray(items)
    clean = mean_estimate(np.where(there, before, np.nan), items, level=level)
    changed = mean_estimate(np.where(there, after, np.nan), items, level=level)
    if not there.any():
        nothing = Estimate(None, None, None, n, 0, 0)
        return Drop(clean, changed, nothing, None, nothing)
    codes = cluster_codes(names[there])
    held = cluster_means(before[there], codes)
    lost = held - cluster_means(after[there], codes)
    low, high = difference_interval(lost, level=level)
    absolute = Estimate(exact_mean(lost), low, high, n, int(there.sum()), lost.size)
    corrected = None
    if guessed is not None:
        above = held - cluster_means(guessed[there], codes)
        corrected = _share_lost(lost, above, absolute, level=level)
    return Drop(clean, changed, absolute, corrected, _share_lost(lost, held, absolute, level=level))


def _share_lost(
    lost: NDArray[np.float64], held: NDArray[np.float64], absolute: Estimate, *, level: float
) -> Estimate:
    base = exact_mean(held)
    counts = (absolute.n, absolute.n_scored, absolute.n_items)
    if base <= 0 or absolute.value is None:
        return Estimate(None, None, None, *counts)
    value = absolute.value / base
    ends = ratio_interval(lost, held, level=level)
    if ends is None or absolute.low is None or absolute.high is None:
        return Estimate(value, None, None, *counts)
    return Estimate(value, min(ends[0], absolute.low / base), max(ends[1], absolute.high / base), *counts)


def _check(
    after: NDArray[np.float64], before: NDArray[np.float64], guessed: NDArray[np.float64] | None
) -> None:
    for array in (after, before):
        seen = array[~np.isnan(array)]
        if seen.size and (seen.min() < 0 or seen.max() > 1):
            raise UsageError(f"Scores must lie in 0 to 1, got {seen.min()} to {seen.max()}.")
    if guessed is not None and guessed.size and not (0 <= guessed.min() and guessed.max() < 1):
        raise UsageError(f"Chance must lie in 0 to below 1, got {guessed.min()} to {guessed.max()}.")
