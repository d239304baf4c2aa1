"""The average over tasks: does a candidate lose a little everywhere, too little for any one task to show?

Every task weighs the same, however many items it has. An item that is in several tasks is one unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.binary import check_level
from harness.stats.cluster import cluster_codes, cluster_means
from harness.stats.mean import exact_mean, finite_differences
from harness.stats.sign_flip import EXACT_SIGN_FLIP_LIMIT, sign_flip_harm_p


@dataclass(frozen=True, slots=True)
class MacroEffect:
    """The mean of several tasks' effects; positive is better.

    Attributes:
        n_tasks: Tasks averaged.
        n_items: Source items of all tasks, each counted once.
        effect: Mean over tasks of the mean over source items of the mean over variants.
        low: Lower end of the interval; None where nothing varies.
        high: Upper end, or None.
        harm_p: One-sided p value of "not worse on average".
        method: The test used, in words.
    """

    n_tasks: int
    n_items: int
    effect: float
    low: float | None
    high: float | None
    harm_p: float
    method: str


def macro_effect(
    differences: Sequence[ArrayLike],
    clusters: Sequence[Sequence[str] | NDArray[np.generic]],
    *,
    level: float = 0.95,
) -> MacroEffect:
    """Test the average over tasks of differences in one unit, such as shares of each metric's span.

    Harm is a sign-flip test on the source items' contributions: exact up to 30 changed ones, beyond that Student's t
    with the degrees of freedom that their unequal weights leave.

    Args:
        differences: Per task, candidate minus baseline of each variant.
        clusters: Per task, the source item of each variant; one label in two tasks is one source item.
        level: Coverage of the interval.

    Raises:
        EmptyComparison: Without tasks.
        UsageError: If a task's differences and clusters do not line up.

    Example:
        >>> found = macro_effect([[-1.0, 0.0], [-1.0, 0.0, 0.0, 0.0]], [["a", "b"], ["c", "d", "e", "f"]])
        >>> found.effect, found.harm_p, found.n_items
        (-0.375, 0.25, 6)
    """
    check_level(level)
    if not differences:
        raise EmptyComparison("There is no task to average over.")
    if len(differences) != len(clusters):
        raise UsageError(f"{len(differences)} tasks came with clusters of {len(clusters)}.")
    contributions: dict[str, float] = {}
    centred: dict[str, float] = {}
    effects = []
    for values, labels in zip(differences, clusters, strict=True):
        names = np.asarray(labels).astype(str)
        means = cluster_means(finite_differences(values), cluster_codes(names))
        effect = exact_mean(means)
        effects.append(effect)
        for name, mean in zip(np.unique(names).tolist(), means.tolist(), strict=True):
            weight = len(differences) * means.size
            contributions[name] = contributions.get(name, 0.0) + mean / weight
            centred[name] = centred.get(name, 0.0) + (mean - effect) / weight
    effect = exact_mean(effects)
    units = np.array([contributions[name] for name in sorted(contributions)])
    low, high = _interval(effect, np.array([centred[name] for name in sorted(centred)]), level)
    harm_p, method = _harm(units)
    return MacroEffect(len(effects), units.size, effect, low, high, harm_p, method)


def sign_flip_t_p(total: float, squares: float, fourths: float) -> float:
    """The sign-flip test from sums over the contributions: of them, of their squares, of their fourth powers.

    Flipping signs gives the sum a variance of `squares` whatever the contributions; t takes the normal's place, with
    as many degrees of freedom as equal contributions would have had.

    Example:
        >>> round(sign_flip_t_p(-20.0, 100.0, 100.0), 4)
        0.0241
    """
    if squares <= 0:
        return 1.0
    return float(stdtr(squares**2 / fourths, total / math.sqrt(squares)))


def _harm(units: NDArray[np.float64]) -> tuple[float, str]:
    if int((units != 0).sum()) <= EXACT_SIGN_FLIP_LIMIT:
        return sign_flip_harm_p(units), "sign-flip over the tasks' items"
    total = math.fsum(units.tolist())
    squares, fourths = (math.fsum((units**power).tolist()) for power in (2, 4))
    return sign_flip_t_p(total, squares, fourths), "sign-flip t over the tasks' items"


def _interval(effect: float, centred: NDArray[np.float64], level: float) -> tuple[float | None, float | None]:
    squares, fourths = (math.fsum((centred**power).tolist()) for power in (2, 4))
    if squares <= 0:
        return None, None
    reach = float(stdtrit(squares**2 / fourths, (1 + level) / 2)) * math.sqrt(squares)
    return effect - reach, effect + reach
