"""Answers that change between two runs, beside those that change when one checkpoint is only run again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.robustness.estimate import Estimate, difference_interval, mean_estimate, same_length
from harness.stats.cluster import cluster_codes, cluster_means
from harness.stats.mean import exact_mean


@dataclass(frozen=True, slots=True)
class Churn:
    """Share of answers that changed.

    Attributes:
        churn: Between what is compared.
        floor: Between re-runs, on average over their pairs; no value without re-runs.
        excess: Churn less floor, paired; at or below 0 nothing but noise is seen.
    """

    churn: Estimate
    floor: Estimate
    excess: Estimate


def churn(
    before: Sequence[Hashable | None],
    after: Sequence[Hashable | None],
    items: Sequence[str],
    *,
    repeats: Sequence[Sequence[Hashable | None]] = (),
    missing: Sequence[bool] | None = None,
    level: float = 0.95,
) -> Churn:
    """Churn against a re-run noise floor.

    Args:
        before: What each answer says (or whether it is right); None where none could be read.
        after: The same variants' answers on the other side: another checkpoint, or a changed prompt.
        items: Source item of each.
        repeats: Answers of further runs of what gave `before`, nothing changed.
        missing: Which variants lack an answer in some run, because the system failed.
        level: Coverage of the intervals.

    Example:
        >>> found = churn("AABB", "ABBA", list("wxyz"), repeats=["AABB"])
        >>> found.churn.value, found.floor.value, found.excess.value
        (0.5, 0.0, 0.5)
    """
    absent = [False] * len(items) if missing is None else list(missing)
    n = same_length(before=before, after=after, items=items, missing=absent)
    changed = _changed([(before, after)], absent)
    measured = mean_estimate(changed, items, level=level)
    runs = [before, *repeats]
    for repeat in repeats:
        same_length(before=before, repeat=repeat)
    pairs = [(runs[first], runs[second]) for second in range(len(runs)) for first in range(second)]
    there = ~np.isnan(changed)
    if not pairs or not there.any():
        nothing = Estimate(None, None, None, n, 0, 0)
        return Churn(measured, nothing, nothing)
    again = _changed(pairs, absent)
    units = cluster_means(changed[there] - again[there], cluster_codes(np.asarray(items)[there]))
    low, high = difference_interval(units, level=level)
    return Churn(
        churn=measured,
        floor=mean_estimate(again, items, level=level),
        excess=Estimate(exact_mean(units), low, high, n, int(there.sum()), units.size),
    )


def _changed(
    pairs: Sequence[tuple[Sequence[Hashable | None], Sequence[Hashable | None]]], absent: Sequence[bool]
) -> np.ndarray:
    """Share of the pairs of runs that differ on each variant, NaN where missing; shape (n,)."""
    differing = np.array([[one != other for one, other in zip(*pair, strict=True)] for pair in pairs])
    return np.where(np.asarray(absent, dtype=bool), np.nan, differing.mean(axis=0, dtype=np.float64))
