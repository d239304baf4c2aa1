"""Source items against the steps they were asked at, and the between-step deviation without sampling noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ncfdtr

from harness.core.digest import digest
from harness.core.errors import UsageError
from harness.robustness.estimate import Estimate, number_array, same_length
from harness.stats.corpus import generator_from_digest

MOST_NONCENTRALITY = 1e7


@dataclass(frozen=True, slots=True)
class Cells:
    """Scores of items at steps.

    Attributes:
        steps: What the columns stand for, in order.
        items: Source item of each row.
        table: Mean score of an item at a step, shape (items, steps); NaN where it was not asked or is missing.
        n: Values that there should have been.
    """

    steps: tuple[Hashable, ...]
    items: tuple[str, ...]
    table: NDArray[np.float64]
    n: int

    def complete(self) -> Cells:
        """Only the items scored at every step."""
        whole = np.asarray(~np.isnan(self.table).any(axis=1))
        kept = tuple(item for item, is_whole in zip(self.items, whole.tolist(), strict=True) if is_whole)
        return Cells(self.steps, kept, self.table[whole], self.n)


def cells(
    scores: Sequence[float | None],
    items: Sequence[str],
    steps: Sequence[Hashable],
    *,
    order: Sequence[Hashable] | None = None,
) -> Cells:
    """Scores laid out by item and step.

    Args:
        scores: Shape (n,); None where missing.
        items: Source item of each.
        steps: Step of each: a position, a template, an order.
        order: The columns; else steps in the order met.

    Example:
        >>> cells([1.0, 0.0, 1.0], ["a", "a", "b"], [0.0, 1.0, 0.0]).table.tolist()
        [[1.0, 0.0], [1.0, nan]]
    """
    array = number_array(scores)
    n = same_length(scores=array, items=items, steps=steps)
    columns = {step: place for place, step in enumerate(dict.fromkeys(steps) if order is None else order)}
    rows = {item: place for place, item in enumerate(dict.fromkeys(items))}
    totals = np.zeros((len(rows), len(columns)))
    counts = np.zeros_like(totals)
    for score, item, step in zip(array.tolist(), items, steps, strict=True):
        if score == score:
            totals[rows[item], columns[step]] += score
            counts[rows[item], columns[step]] += 1
    table = np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)
    return Cells(tuple(columns), tuple(rows), table, n)


def step_means(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over items at each step, shape (steps,); NaN where no item was scored."""
    there = ~np.isnan(table)
    counts = there.sum(axis=0)
    totals = np.where(there, table, 0.0).sum(axis=0)
    return np.asarray(np.where(counts > 0, totals / np.maximum(counts, 1), np.nan))


def step_covariance(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of the step means over the drawing of items, whichever steps an item was asked at.

    Args:
        table: Shape (items, steps), each step with at least one score.

    Returns:
        Shape (steps, steps).

    Source: the cluster-robust estimate, with the factor G / (G - 1).
    """
    there = ~np.isnan(table)
    influence = np.where(there, table - step_means(table), 0.0) / there.sum(axis=0)
    n_items = table.shape[0]
    if n_items < 2:
        raise UsageError(f"Sampling noise needs at least two source items, got {n_items}.")
    return np.asarray(influence.T @ influence * (n_items / (n_items - 1)))


def dealt_anew(
    found: Cells, statistic: Callable[[NDArray[np.float64]], float], *, draws: int, seed: int
) -> NDArray[np.float64]:
    """What a statistic of the step means comes to where steps do not matter, shape (draws,).

    An item keeps its scores; which steps they stand at is drawn.

    Args:
        found: Complete cells.
        statistic: Of the means, shape (steps,).
        draws: How often.
        seed: Of the draws.
    """
    rng = generator_from_digest(digest("robustness/dealt/1", seed, found.table.shape, length=64))
    table = np.sort(found.table, axis=1)
    values = np.empty(draws)
    for draw in range(draws):
        order = rng.random(table.shape).argsort(axis=1)
        values[draw] = statistic(np.take_along_axis(table, order, axis=1).mean(axis=0))
    return values


def denoised_deviation(found: Cells, *, sample: bool = True, level: float = 0.95) -> Estimate:
    """Standard deviation between steps, less what the drawing of items alone would make it.

    Of items asked at every step this is the variant component of the two-way (item x variant) analysis of variance:
    (variance between steps - residual / items), and 0 where that is negative. It speaks of these very steps.

    Args:
        found: Scores of items at steps.
        sample: Divide by steps - 1 (the steps are a sample of templates), or by steps (they are all options).
        level: Coverage of the interval, which inverts the noncentral F distribution with Greenhouse and Geisser's
            correction; there is none where no item ever answered apart from its neighbours.

    Example:
        >>> steady = cells([1.0, 1.0, 0.0, 0.0, 1.0, 1.0], list("aabbcc"), [1, 2] * 3)
        >>> denoised_deviation(steady).value
        0.0
    """
    means, n_steps, n_items = step_means(found.table), len(found.steps), len(found.items)
    n_scored = int((~np.isnan(found.table)).sum())
    if n_steps < 2 or n_items < 2 or np.isnan(means).any():
        return Estimate(None, None, None, found.n, n_scored, n_items)
    centring = np.eye(n_steps) - 1 / n_steps
    noise = centring @ step_covariance(found.table) @ centring
    degrees = n_steps - 1
    between = float(((means - means.mean()) ** 2).sum()) / degrees
    by_chance = float(np.trace(noise)) / degrees
    scale = 1.0 if sample else degrees / n_steps
    value = math.sqrt(scale * max(between - by_chance, 0.0))
    if by_chance <= 0:
        return Estimate(value, None, None, found.n, n_scored, n_items)
    sphericity = float(np.trace(noise)) ** 2 / (degrees * float(np.trace(noise @ noise)))
    numerator = max(1.0, sphericity * degrees)
    ends = _noncentrality(between / by_chance, numerator, numerator * (n_items - 1), level)
    low, high = (math.sqrt(scale * end / numerator * by_chance) for end in ends)
    return Estimate(value, min(low, value), max(high, value), found.n, n_scored, n_items)


def _noncentrality(ratio: float, numerator: float, denominator: float, level: float) -> tuple[float, float]:
    """The noncentralities under which a ratio so large, or so small, is as rare as the level says."""

    def end(share: float) -> float:
        def above(noncentrality: float) -> float:
            return float(ncfdtr(numerator, denominator, noncentrality, ratio)) - share

        if above(0.0) <= 0:
            return 0.0
        most = 4 * (ratio * numerator + 10)
        while above(most) > 0 and most < MOST_NONCENTRALITY:
            most *= 2
        return float(brentq(above, 0.0, most)) if above(most) < 0 else most

    return end((1 + level) / 2), end((1 - level) / 2)
