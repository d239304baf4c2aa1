"""The one paired comparison every rule uses: effect, interval, and the two one-sided p values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import UsageError
from harness.stats.binary import check_level, mcnemar_harm_p, tango_certify_p, tango_interval
from harness.stats.bounded import bounded_certify_p, bounded_interval, effective_changes
from harness.stats.cluster import (
    cluster_means,
    clustered_binary_certify_p,
    clustered_binary_interval,
    clustered_counts,
    design_effect,
)
from harness.stats.mean import exact_mean, t_certify_p, t_harm_p, t_interval
from harness.stats.pairs import line_up
from harness.stats.sign_flip import EXACT_SIGN_FLIP_LIMIT, sign_flip_certify_p, sign_flip_harm_p
from harness.stats.studentised import StudentisedMean, is_skewed, studentised_mean

MIN_EFFECTIVE_CHANGES = 10
"""Below this many effective changes Student's t is not trusted to certify."""

SMALL_SAMPLE = 30
"""Below this many units the sign-flip test must agree with t before anything is certified."""


@dataclass(frozen=True, slots=True)
class PairedEffect:
    """What the pairs say; all in the metric's units, oriented higher is better.

    Attributes:
        n_pairs: Compared variants.
        n_clusters: Source items they come from.
        baseline_mean: Mean over source items of the mean over their variants.
        candidate_mean: The same of the candidate.
        effect: Candidate minus baseline; positive is better.
        low: Lower end of the interval; None where no honest interval exists (unbounded and unchanged).
        high: Upper end of the interval, or None.
        harm_p: One-sided p value of "not worse"; small says harm.
        certify_p: One-sided p value of "worse by the margin or more"; small certifies. None without margin.
        discordant_right_to_wrong: Pairs the candidate lost; None unless scores are 0-1.
        discordant_wrong_to_right: Pairs the candidate won; None unless scores are 0-1.
        deff: Design effect of the clusters; 1 where every source item has one variant.
        method: The tests used, in words.
    """

    n_pairs: int
    n_clusters: int
    baseline_mean: float
    candidate_mean: float
    effect: float
    low: float | None
    high: float | None
    harm_p: float
    certify_p: float | None
    discordant_right_to_wrong: int | None
    discordant_wrong_to_right: int | None
    deff: float
    method: str


def paired_effect(
    baseline: ArrayLike,
    candidate: ArrayLike,
    clusters: Sequence[str] | NDArray[np.generic],
    *,
    binary: bool,
    bounds: tuple[float | None, float | None],
    level: float = 0.95,
    margin: float | None = None,
) -> PairedEffect:
    """Compare two runs on the same variants.

    0-1 scores: McNemar and Tango, or with clusters the sign-flip (or t) test on cluster means for harm and both t
    and Tango on n/deff to certify. Other scores: sign-flip up to 30 changed units, else t, or the studentised
    bootstrap where they are skewed; while fewer than 10 effective changes were seen, certifying also needs the
    bounds' word, and is refused where the metric has none. An error class's share is compared as 0-1 scores "is
    not of the class".

    Args:
        baseline: Score of each variant, shape (n,), n >= 1, higher is better; no missing values.
        candidate: The same, in the same order.
        clusters: Source item of each variant, shape (n,).
        binary: Every score is one of two values: 0 and 1, or the two bounds.
        bounds: Lowest and highest possible score; None where there is none.
        level: Coverage of the interval.
        margin: Largest loss still acceptable, >= 0 and below the span of the bounds.

    Raises:
        EmptyComparison: Without pairs.
        UsageError: On unequal lengths, missing values, scores out of bounds, or a margin out of range.

    Example:
        >>> effect = paired_effect(
        ...     [1, 1, 1, 0], [1, 0, 0, 0], ["a", "b", "c", "d"], binary=True, bounds=(0, 1), margin=0.05
        ... )
        >>> effect.effect, effect.harm_p, effect.discordant_right_to_wrong
        (-0.5, 0.25, 2)
    """
    check_level(level)
    pairs = line_up(baseline, candidate, clusters, binary=binary, bounds=bounds)
    _check_margin(margin, pairs.span)
    differences, codes, span = pairs.differences, pairs.codes, pairs.span
    if binary:
        assert span is not None
        tests = _binary_tests(differences / span, codes, level=level, margin=margin, span=span)
    else:
        tests = _mean_tests(differences, codes, level=level, margin=margin, span=span)
    return PairedEffect(
        n_pairs=differences.size,
        n_clusters=int(codes.max()) + 1,
        baseline_mean=exact_mean(cluster_means(pairs.baseline, codes)),
        candidate_mean=exact_mean(cluster_means(pairs.candidate, codes)),
        effect=exact_mean(cluster_means(differences, codes)),
        low=tests.low,
        high=tests.high,
        harm_p=tests.harm_p,
        certify_p=tests.certify_p,
        discordant_right_to_wrong=int((differences < 0).sum()) if binary else None,
        discordant_wrong_to_right=int((differences > 0).sum()) if binary else None,
        deff=tests.deff,
        method=tests.method,
    )


@dataclass(frozen=True, slots=True)
class _Tests:
    low: float | None
    high: float | None
    harm_p: float
    certify_p: float | None
    deff: float
    method: str


def _binary_tests(
    signs: NDArray[np.float64], codes: NDArray[np.intp], *, level: float, margin: float | None, span: float
) -> _Tests:
    """Tests of differences in {-1, 0, 1}; the interval is scaled back to the metric's units."""
    share_margin = None if margin is None else margin / span
    if int(codes.max()) + 1 == codes.size:
        lost, won = int((signs < 0).sum()), int((signs > 0).sum())
        low, high = tango_interval(right_to_wrong=lost, wrong_to_right=won, n_pairs=codes.size, level=level)
        certify_p = None
        if share_margin is not None:
            certify_p = tango_certify_p(
                right_to_wrong=lost, wrong_to_right=won, n_pairs=codes.size, margin=share_margin
            )
        harm_p = mcnemar_harm_p(right_to_wrong=lost, wrong_to_right=won)
        return _Tests(low * span, high * span, harm_p, certify_p, 1.0, "McNemar, Tango interval")
    low, high = clustered_binary_interval(signs, codes, level=level)
    harm_p, harm_method = _harm(cluster_means(signs, codes))
    certify_p = None
    if share_margin is not None:
        certify_p = clustered_binary_certify_p(signs, codes, margin=share_margin)
    return _Tests(
        low * span,
        high * span,
        harm_p,
        certify_p,
        clustered_counts(signs, codes).deff,
        f"{harm_method} on cluster means, t on cluster means and Tango on n/deff",
    )


def _mean_tests(
    differences: NDArray[np.float64],
    codes: NDArray[np.intp],
    *,
    level: float,
    margin: float | None,
    span: float | None,
) -> _Tests:
    units = cluster_means(differences, codes)
    is_sparse = effective_changes(units) < MIN_EFFECTIVE_CHANGES
    skewed = (
        None if is_sparse or units.size < SMALL_SAMPLE or not is_skewed(units) else studentised_mean(units)
    )
    harm_p, harm_method = _harm(units, skewed)
    interval = t_interval(units, level=level) if skewed is None else skewed.interval(level=level)
    interval_method = "t interval" if skewed is None else "studentised bootstrap interval"
    if is_sparse and span is not None:
        low, high = bounded_interval(units, span=span, level=level)
        interval = (low, high) if interval is None else (min(low, interval[0]), max(high, interval[1]))
        interval_method = "interval from the bounds (few changes)"
    elif interval is None and span is not None:
        interval = bounded_interval(units, span=span, level=level)
        interval_method = "interval from the bounds (no variance)"
    elif interval is None:
        interval_method = "no interval (no variance, no bounds)"
    if interval is not None and span is not None:
        interval = max(-span, interval[0]), min(span, interval[1])
    certify_p = None
    if margin is not None:
        if skewed is not None:
            certify_p = skewed.certify_p(margin=margin)
        else:
            certify_p = _mean_certify_p(units, margin=margin, span=span, is_sparse=is_sparse)
    where = "" if units.size == codes.size else " on cluster means"
    return _Tests(
        None if interval is None else interval[0],
        None if interval is None else interval[1],
        harm_p,
        certify_p,
        1.0 if units.size == codes.size else design_effect(differences, codes),
        f"{harm_method}{where}, {interval_method}",
    )


def _harm(units: NDArray[np.float64], skewed: StudentisedMean | None = None) -> tuple[float, str]:
    n_changed = int((units != 0).sum())
    if n_changed <= EXACT_SIGN_FLIP_LIMIT:
        return sign_flip_harm_p(units), "sign-flip"
    if skewed is not None:
        return skewed.harm_p(), "studentised bootstrap"
    p_value = t_harm_p(units)
    if p_value is not None:
        return p_value, "t"
    # All alike: the observed signs are the lowest sum of 2^n patterns, or the highest.
    return (0.5**units.size if units[0] < 0 else 1.0), "sign-flip"


def _mean_certify_p(
    units: NDArray[np.float64], *, margin: float, span: float | None, is_sparse: bool
) -> float:
    """The largest p value of every test that the sample needs; 1.0 where none can be trusted."""
    by_t = t_certify_p(units, margin=margin)
    needs_bounds = is_sparse or by_t is None
    if needs_bounds and span is None:
        return 1.0
    p_values = [] if by_t is None else [by_t]
    if needs_bounds:
        assert span is not None
        p_values.append(bounded_certify_p(units, span=span, margin=margin))
    if units.size < SMALL_SAMPLE:
        p_values.append(sign_flip_certify_p(units, margin=margin))
    return max(p_values)


def _check_margin(margin: float | None, span: float | None) -> None:
    if margin is None:
        return
    if not margin >= 0 or (span is not None and margin >= span):
        limit = "" if span is None else f" and below the span of the metric, {span}"
        raise UsageError(f"A margin must be at least 0{limit}; got {margin}.")
