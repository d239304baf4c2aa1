"""Metrics that exist only for a whole corpus, such as macro-F1 or perplexity.

They have no per-item score, so whole clusters of rows are swapped between the runs (is the candidate
worse?) or drawn again (how far could the effect lie?) and the metric is computed anew each time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.binary import check_level
from harness.stats.cluster import cluster_codes
from harness.stats.paired import MIN_EFFECTIVE_CHANGES

Rows = NDArray[np.generic]
Statistic = Callable[[Rows], float]


@dataclass(frozen=True, slots=True)
class CorpusEffect:
    """What the rows say of a corpus metric, oriented higher is better.

    Attributes:
        n_rows: Compared rows.
        n_clusters: Source items they come from.
        n_changed_clusters: Source items on which the runs' rows differ.
        baseline_value: The metric of all the baseline's rows.
        candidate_value: The metric of all the candidate's rows.
        effect: Candidate minus baseline.
        low: Lower end of the bootstrap interval; None while fewer than 10 source items changed.
        high: Upper end, or None.
        harm_p: One-sided swap-permutation p value; small says harm.
        certify_p: Share of bootstrap effects at or below -margin; 1.0 while too few source items changed,
            None without margin.
        method: The tests used, in words.
    """

    n_rows: int
    n_clusters: int
    n_changed_clusters: int
    baseline_value: float
    candidate_value: float
    effect: float
    low: float | None
    high: float | None
    harm_p: float
    certify_p: float | None
    method: str


def generator_from_digest(seed_digest: str) -> np.random.Generator:
    """A generator fixed by a digest; the functions here draw only `random()` from it.

    Example:
        >>> a, b = generator_from_digest("ab12"), generator_from_digest("ab12")
        >>> a.random() == b.random()
        True
    """
    entropy = int.from_bytes(hashlib.sha256(seed_digest.encode()).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def draws_needed(n_rules: int, *, alpha: float) -> int:
    """Permutation draws that leave Holm's smallest level resolvable: 20 x rules / alpha.

    Example:
        >>> draws_needed(10, alpha=0.05)
        4000
    """
    if n_rules < 1 or not 0 < alpha < 1:
        raise UsageError(f"Need at least one rule and alpha in (0, 1), got {n_rules} and {alpha}.")
    return math.ceil(20 * n_rules / alpha - 1e-9)


def swap_permutation(
    statistic: Statistic,
    baseline_rows: Rows,
    candidate_rows: Rows,
    clusters: Sequence[str] | NDArray[np.generic],
    *,
    draws: int,
    rng: np.random.Generator,
) -> float:
    """One-sided p value that the candidate's metric is lower, by swapping the runs cluster by cluster.

    All 2^G swaps are counted where they are at most `draws`; else `draws` random ones, with the observed
    assignment included so that the p value is never 0.

    Args:
        statistic: Metric of rows, higher is better; must be finite on any mixture of the two runs.
        baseline_rows: Shape (n, ...), one row a variant.
        candidate_rows: The same shape and order.
        clusters: Source item of each row, shape (n,).
        draws: Random swaps, >= 1; see `draws_needed`.
        rng: Their source.

    Returns:
        Share of swaps whose effect is at most the observed one.

    Example:
        >>> rng = generator_from_digest("ab12")
        >>> scores = np.array([1.0, 1.0, 1.0])
        >>> swap_permutation(np.mean, scores, scores - 1, ["a", "b", "c"], draws=100, rng=rng)
        0.125

    Source: Yeh 2000.
    """
    codes, n_clusters = _checked_rows(baseline_rows, candidate_rows, clusters)
    if draws < 1:
        raise UsageError(f"A permutation test needs at least one draw, got {draws}.")
    observed = _value(statistic, candidate_rows) - _value(statistic, baseline_rows)
    ceiling = observed + 1e-9 * max(abs(observed), 1e-3)
    is_exact = n_clusters < 60 and 2**n_clusters <= draws
    n_swaps = 2**n_clusters if is_exact else draws
    n_low = 0
    for swap in range(n_swaps):
        if is_exact:
            is_swapped = (swap >> np.arange(n_clusters)) & 1 == 1
        else:
            is_swapped = rng.random(n_clusters) < 0.5
        mask = is_swapped[codes].reshape((-1,) + (1,) * (baseline_rows.ndim - 1))
        effect = _value(statistic, np.where(mask, baseline_rows, candidate_rows))
        effect -= _value(statistic, np.where(mask, candidate_rows, baseline_rows))
        n_low += effect <= ceiling
    return n_low / n_swaps if is_exact else (1 + n_low) / (1 + n_swaps)


def paired_bootstrap(
    statistic: Statistic,
    baseline_rows: Rows,
    candidate_rows: Rows,
    clusters: Sequence[str] | NDArray[np.generic],
    *,
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Effects of `draws` resamples of whole clusters, the same for both runs; shape (draws,), sorted.

    Source: Koehn 2004, with clusters in place of sentences.
    """
    codes, n_clusters = _checked_rows(baseline_rows, candidate_rows, clusters)
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    effects = np.empty(draws)
    for draw in range(draws):
        picked = (rng.random(n_clusters) * n_clusters).astype(np.intp)
        rows = np.concatenate([members[cluster] for cluster in picked])
        effects[draw] = _value(statistic, candidate_rows[rows]) - _value(statistic, baseline_rows[rows])
    return np.sort(effects)


def corpus_effect(
    statistic: Statistic,
    baseline_rows: Rows,
    candidate_rows: Rows,
    clusters: Sequence[str] | NDArray[np.generic],
    *,
    draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
    margin: float | None = None,
) -> CorpusEffect:
    """Compare two runs by a corpus metric: swap test for harm, cluster bootstrap for the interval.

    A resample cannot show a change that the sample did not, so while fewer than 10 source items changed there
    is no interval and nothing is certified.

    Raises:
        EmptyComparison: Without rows.
        UsageError: On rows that do not line up, or a metric that is not finite on some resample.

    Example:
        >>> rows = np.array([1.0, 0.0, 1.0])
        >>> rng = generator_from_digest("ab12")
        >>> corpus_effect(np.mean, rows, rows, ["a", "b", "c"], draws=8, rng=rng, margin=0.05).certify_p
        1.0
    """
    check_level(level)
    if margin is not None and not margin >= 0:
        raise UsageError(f"A margin must be at least 0; got {margin}.")
    codes, n_clusters = _checked_rows(baseline_rows, candidate_rows, clusters)
    is_changed = (baseline_rows != candidate_rows).reshape(len(codes), -1).any(axis=1)
    n_changed = int(np.unique(codes[is_changed]).size)
    harm_p = swap_permutation(statistic, baseline_rows, candidate_rows, clusters, draws=draws, rng=rng)
    low: float | None = None
    high: float | None = None
    certify_p = None if margin is None else 1.0
    if n_changed >= MIN_EFFECTIVE_CHANGES:
        effects = paired_bootstrap(statistic, baseline_rows, candidate_rows, clusters, draws=draws, rng=rng)
        low, high = (float(end) for end in np.quantile(effects, [(1 - level) / 2, (1 + level) / 2]))
        if margin is not None:
            certify_p = (1 + int((effects <= -margin).sum())) / (1 + draws)
    baseline_value, candidate_value = _value(statistic, baseline_rows), _value(statistic, candidate_rows)
    return CorpusEffect(
        n_rows=len(codes),
        n_clusters=n_clusters,
        n_changed_clusters=n_changed,
        baseline_value=baseline_value,
        candidate_value=candidate_value,
        effect=candidate_value - baseline_value,
        low=low,
        high=high,
        harm_p=harm_p,
        certify_p=certify_p,
        method="swap test, " + ("no interval (few changes)" if low is None else "cluster bootstrap interval"),
    )


def _checked_rows(
    baseline_rows: Rows, candidate_rows: Rows, clusters: Sequence[str] | NDArray[np.generic]
) -> tuple[NDArray[np.intp], int]:
    codes = cluster_codes(clusters)
    if baseline_rows.shape != candidate_rows.shape or baseline_rows.shape[:1] != codes.shape:
        raise UsageError(
            f"Rows must line up: baseline {baseline_rows.shape}, candidate {candidate_rows.shape}, "
            f"{codes.size} cluster labels."
        )
    if codes.size == 0:
        raise EmptyComparison("There are no rows to compare; the runs share no scored variant.")
    return codes, int(codes.max()) + 1


def _value(statistic: Statistic, rows: Rows) -> float:
    value = float(statistic(rows))
    if not math.isfinite(value):
        raise UsageError(
            f"The corpus metric is {value} on a resample of {len(rows)} rows; define it for rows that lack "
            "a class, or use a metric with per-item scores."
        )
    return value
