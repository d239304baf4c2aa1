"""Several trainings of one recipe: how far seeds alone move a score, and whether one recipe is worse than another.

Two checkpoints tell which checkpoint is better. Only several seeds a side tell which recipe is: the spread between
seeds is then part of the doubt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from harness.core.errors import UsageError
from harness.stats.binary import check_level
from harness.stats.cluster import cluster_codes, cluster_means
from harness.stats.mean import exact_mean

MIN_SEEDS = 2
"""Seeds that a side with any needs for its spread to be estimated."""


@dataclass(frozen=True, slots=True)
class SeedBand:
    """Where one more training of the same recipe would be expected to score.

    Attributes:
        n_seeds: Trainings.
        mean: Mean over them.
        spread: Standard deviation between them.
        low: Lower end of the prediction interval of one more.
        high: Upper end.
    """

    n_seeds: int
    mean: float
    spread: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RecipeEffect:
    """One recipe against another over seeds; positive is better.

    Attributes:
        n_items: Source items.
        n_baseline: Seeds of the baseline.
        n_candidate: Seeds of the candidate.
        effect: Candidate minus baseline.
        item_error: Standard error from the choice of items.
        seed_error: Standard error from the choice of seeds.
        degrees: Degrees of freedom of the whole error (Satterthwaite).
        low: Lower end of the interval.
        high: Upper end.
        harm_p: One-sided p value of "not worse".
        certify_p: One-sided p value of "worse by the margin or more"; None without margin.
    """

    n_items: int
    n_baseline: int
    n_candidate: int
    effect: float
    item_error: float
    seed_error: float
    degrees: float
    low: float
    high: float
    harm_p: float
    certify_p: float | None


def seed_band(scores: Sequence[float], *, level: float = 0.95) -> SeedBand:
    """The band in which one more seed's score would lie.

    Args:
        scores: One score a seed, at least two.
        level: Chance that one more lies inside.

    Example:
        >>> band = seed_band([0.80, 0.82, 0.84])
        >>> round(band.mean, 3), round(band.low, 3), round(band.high, 3)
        (0.82, 0.721, 0.919)

    Source: the prediction interval of a normal sample.
    """
    check_level(level)
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1 or array.size < MIN_SEEDS or not np.isfinite(array).all():
        raise UsageError(f"A seed band needs at least {MIN_SEEDS} finite scores, got {list(scores)}.")
    mean, spread = exact_mean(array), float(array.std(ddof=1))
    reach = float(stdtrit(array.size - 1, (1 + level) / 2)) * spread * math.sqrt(1 + 1 / array.size)
    return SeedBand(int(array.size), mean, spread, mean - reach, mean + reach)


def recipe_effect(
    baseline: ArrayLike,
    candidate: ArrayLike,
    clusters: Sequence[str] | NDArray[np.generic],
    *,
    level: float = 0.95,
    margin: float | None = None,
) -> RecipeEffect:
    """Compare two recipes on the same variants over several seeds a side.

    The error of the difference has two parts that add up: the items are a sample of what could be asked, the seeds a
    sample of what could be trained. A side with one seed adds none of its own, so the answer then is about that
    checkpoint, not about its recipe.

    Args:
        baseline: Scores of shape (n, seeds), higher is better.
        candidate: The same variants, shape (n, seeds); the number of seeds may differ.
        clusters: Source item of each variant, shape (n,).
        level: Coverage of the interval.
        margin: Largest loss still acceptable.

    Raises:
        UsageError: On shapes that do not line up, one source item, or one seed on both sides.
    """
    check_level(level)
    codes = cluster_codes(clusters)
    before, after = (_by_item(side, codes) for side in (baseline, candidate))
    n_items = before.shape[0]
    if n_items < 2 or max(before.shape[1], after.shape[1]) < MIN_SEEDS:
        raise UsageError(
            f"Recipes need 2 source items and {MIN_SEEDS} seeds on a side; got {n_items} items, "
            f"{before.shape[1]} and {after.shape[1]} seeds."
        )
    differences = after.mean(axis=1) - before.mean(axis=1)
    effect = exact_mean(differences)
    parts = [(float(differences.var(ddof=1)) / n_items, n_items - 1)]
    parts += [
        (float(side.mean(axis=0).var(ddof=1)) / side.shape[1], side.shape[1] - 1)
        for side in (before, after)
        if side.shape[1] >= MIN_SEEDS
    ]
    variance = math.fsum(part for part, _ in parts)
    seed_variance = math.fsum(part for part, _ in parts[1:])
    # No variance at all: nothing differs, or everything by the same; the items' degrees are as good as any.
    weights = math.fsum(part**2 / degrees for part, degrees in parts)
    degrees = variance**2 / weights if weights > 0 else float(n_items - 1)
    error = math.sqrt(variance)
    reach = float(stdtrit(degrees, (1 + level) / 2)) * error
    return RecipeEffect(
        n_items=n_items,
        n_baseline=before.shape[1],
        n_candidate=after.shape[1],
        effect=effect,
        item_error=math.sqrt(parts[0][0]),
        seed_error=math.sqrt(seed_variance),
        degrees=degrees,
        low=effect - reach,
        high=effect + reach,
        harm_p=_below(effect, error, degrees),
        certify_p=None if margin is None else _below(-(effect + margin), error, degrees),
    )


def _by_item(scores: ArrayLike, codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Item means, shape (items, seeds)."""
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] != codes.size or array.shape[1] < 1:
        raise UsageError(
            f"Scores over seeds have the shape (variants, seeds); got {array.shape} for {codes.size}."
        )
    return np.stack([cluster_means(column, codes) for column in array.T], axis=1)


def _below(value: float, error: float, degrees: float) -> float:
    """P(T <= value / error); without any error nothing is shown."""
    return 1.0 if error == 0 else float(stdtr(degrees, value / error))
