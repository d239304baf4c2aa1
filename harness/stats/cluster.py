"""Variants of one source item are not independent: the source item is the unit that counts.

The estimand is the mean over source items of the mean over that item's variants, so each source item weighs
the same however many variants it has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import UsageError
from harness.stats.binary import tango_certify_p, tango_interval
from harness.stats.mean import exact_mean, finite_differences, t_certify_p, t_interval

MIN_DISCORDANT_CLUSTERS = 10
"""Below this many source items with a discordant variant, the design effect cannot be estimated."""


def cluster_codes(clusters: Sequence[str] | NDArray[np.generic]) -> NDArray[np.intp]:
    """Number the clusters 0..G-1 by sorted label; shape (n,)."""
    labels = np.asarray(clusters)
    if labels.ndim != 1:
        raise UsageError(f"Clusters must be one label a pair, got shape {labels.shape}.")
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


def cluster_means(values: ArrayLike, codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean of each cluster's values, shape (G,), by cluster number.

    Values are added in sorted order, so that the order of the pairs changes no bit.

    Args:
        values: Shape (n,).
        codes: Cluster number of each value, 0..G-1, every number present.

    Example:
        >>> cluster_means([1.0, 0.0, 1.0], np.array([0, 0, 1])).tolist()
        [0.5, 1.0]
    """
    array = finite_differences(values)
    if array.shape != codes.shape:
        raise UsageError(f"{array.size} values came with {codes.size} cluster labels; each pair needs one.")
    order = np.lexsort((array, codes))
    sizes = np.bincount(codes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.asarray(np.add.reduceat(array[order], starts) / sizes, dtype=np.float64)


def design_effect(differences: ArrayLike, codes: NDArray[np.intp]) -> float:
    """How many times larger the variance of the mean is than with independent variants.

    Args:
        differences: Candidate minus baseline, shape (n,).
        codes: Cluster number of each difference.

    Returns:
        From 1 (variants as good as independent) to the harmonic mean cluster size (variants all alike, or
        no variance to estimate it from).

    Example:
        >>> design_effect([-1.0, -1.0, 1.0, 1.0, 0.0, 0.0], np.array([0, 0, 1, 1, 2, 2]))
        2.0

    Source: Kish 1965.
    """
    array = finite_differences(differences)
    means = cluster_means(array, codes)
    ceiling = harmonic_size(codes)
    if means.size < 2:
        return ceiling
    centre = exact_mean(means)
    between = math.fsum(((means - centre) ** 2).tolist()) / (means.size - 1)
    total = exact_mean(cluster_means(array**2, codes)) - centre**2
    if between <= 0 or total <= 0:
        return ceiling
    return min(max(between * ceiling / total, 1.0), ceiling)


def cautious_design_effect(differences: ArrayLike, codes: NDArray[np.intp]) -> float:
    """The design effect as if one more source item had changed wholly, all of its variants alike.

    Rare losses of a whole source item are what a sample of single flips misses, and what certifies a worse
    model: sources lost whole at the margin among 5 % single flips passed up to .11 of the time with the
    plain estimate, .07 with this one; the power it costs fades as source items grow.

    Args:
        differences: Candidate minus baseline, each in {-1, 0, 1}, shape (n,).
        codes: Cluster number of each difference.

    Returns:
        From 1 to the harmonic mean cluster size.

    Example:
        >>> cautious_design_effect([-1.0, 0.0, 0.0, 1.0, 0.0, 0.0], np.array([0, 0, 1, 1, 2, 2]))
        2.0
    """
    array = finite_differences(differences)
    means = cluster_means(array, codes)
    n_clusters = means.size
    ceiling = harmonic_size(codes)
    if n_clusters < 2:
        return ceiling
    centre = exact_mean(means)
    between = (math.fsum(((means - centre) ** 2).tolist()) + 1) / n_clusters
    total = exact_mean(cluster_means(array**2, codes)) - centre**2
    total = (max(total, 0.0) * n_clusters + 1) / (n_clusters + 1)
    return min(max(between * ceiling / total, 1.0), ceiling)


def harmonic_size(codes: NDArray[np.intp]) -> float:
    """Harmonic mean of the cluster sizes: the size that counts when clusters weigh the same."""
    sizes = np.bincount(codes)
    return float(sizes.size / math.fsum((1 / sizes).tolist()))


@dataclass(frozen=True, slots=True)
class ClusteredCounts:
    """0-1 differences of a clustered sample at their effective size.

    Attributes:
        n_clusters: Source items.
        n_effective: Pairs divided by the design effect, between n_clusters and the pairs.
        right_to_wrong: Effective pairs the candidate lost.
        wrong_to_right: Effective pairs the candidate won.
        n_discordant_clusters: Source items with at least one discordant variant.
        deff: Design effect used: the cautious estimate, or the cluster size below `MIN_DISCORDANT_CLUSTERS`.
    """

    n_clusters: int
    n_effective: float
    right_to_wrong: float
    wrong_to_right: float
    n_discordant_clusters: int
    deff: float


def clustered_counts(differences: ArrayLike, codes: NDArray[np.intp]) -> ClusteredCounts:
    """Effective discordant counts of differences in {-1, 0, 1}.

    Example:
        >>> counts = clustered_counts([0.0] * 6, np.array([0, 0, 1, 1, 2, 2]))
        >>> counts.n_effective, counts.deff
        (3.0, 2.0)
    """
    array = finite_differences(differences)
    lost = exact_mean(cluster_means(array < 0, codes))
    won = exact_mean(cluster_means(array > 0, codes))
    n_clusters = int(codes.max()) + 1
    n_discordant = int(np.unique(codes[array != 0]).size)
    size = harmonic_size(codes)
    deff = size if n_discordant < MIN_DISCORDANT_CLUSTERS else cautious_design_effect(array, codes)
    n_effective = n_clusters * size / deff
    return ClusteredCounts(n_clusters, n_effective, lost * n_effective, won * n_effective, n_discordant, deff)


def clustered_binary_certify_p(differences: ArrayLike, codes: NDArray[np.intp], *, margin: float) -> float:
    """Non-inferiority of clustered 0-1 scores: t on cluster means and Tango on n/deff must both agree.

    t alone certifies a model whose failures, several variants at a time, missed the sample; Tango alone
    trusts an estimated design effect. The larger p value is returned, so a level holds for both.

    Args:
        differences: Candidate minus baseline, each in {-1, 0, 1}, shape (n,).
        codes: Cluster number of each difference.
        margin: Largest loss still acceptable, in [0, 1).
    """
    counts = clustered_counts(differences, codes)
    by_score = tango_certify_p(
        right_to_wrong=counts.right_to_wrong,
        wrong_to_right=counts.wrong_to_right,
        n_pairs=counts.n_effective,
        margin=margin,
    )
    by_means = t_certify_p(cluster_means(differences, codes), margin=margin)
    # No variance between clusters: t has nothing to say, and Tango already counts each cluster once.
    return by_score if by_means is None else max(by_means, by_score)


def clustered_binary_interval(
    differences: ArrayLike, codes: NDArray[np.intp], *, level: float = 0.95
) -> tuple[float, float]:
    """The wider reach, on each side, of t on cluster means and Tango on n/deff; never of zero width.

    Built from the same two tests as `clustered_binary_certify_p`, so interval and verdict never disagree.
    """
    counts = clustered_counts(differences, codes)
    low, high = tango_interval(
        right_to_wrong=counts.right_to_wrong,
        wrong_to_right=counts.wrong_to_right,
        n_pairs=counts.n_effective,
        level=level,
    )
    by_means = t_interval(cluster_means(differences, codes), level=level)
    if by_means is None:
        return low, high
    return max(-1.0, min(low, by_means[0])), min(1.0, max(high, by_means[1]))
