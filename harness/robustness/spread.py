"""Best minus worst template or order, beside what sampling noise alone would make it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.robustness.cells import Cells, cells, dealt_anew, denoised_deviation, step_means
from harness.robustness.estimate import Estimate, difference_interval

DRAWS = 500


@dataclass(frozen=True, slots=True)
class Spread:
    """How much the steps differ, on the items scored at all of them.

    Attributes:
        n_steps: Templates, orders or wordings.
        spread: Highest minus lowest mean. It grows with the number of steps and falls with that of items, so it says
            nothing without `null`.
        null: Its mean where steps do not matter: each item's scores dealt anew among the steps.
        null_high: The 95th percentile there.
        p_value: How often a spread so large comes about without any effect.
        deviation: Standard deviation between steps without the noise; the figure to report.
        lowest: Mean of the worst step.
        highest: Mean of the best step.
        worst: Which that is.
        best: Which that is.
    """

    n_steps: int
    spread: Estimate
    null: float | None
    null_high: float | None
    p_value: float | None
    deviation: Estimate
    lowest: float | None
    highest: float | None
    worst: Hashable | None
    best: Hashable | None


def spread(
    scores: Sequence[float | None],
    items: Sequence[str],
    steps: Sequence[Hashable],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> Spread:
    """The spread over templates or orders, its null, and the denoised deviation.

    Args:
        scores: Score of each variant in [0, 1]; None where missing.
        items: Source item of each. Only those scored at every step count.
        steps: Template or order of each.
        draws: Times that each item's scores are dealt anew.
        seed: Of those draws.
        level: Coverage. The interval of the spread holds for all pairs of steps at once (Bonferroni).

    Example:
        >>> found = spread([1.0, 0.0] * 8 + [1.0, 1.0] * 8, [f"q{n // 2}" for n in range(32)], ["x", "y"] * 16)
        >>> found.spread.value, found.best, found.p_value < 0.05
        (0.5, 'x', True)

    Source: Sclar et al. 2023 (spread); the null and the deviation are ours.
    """
    found = cells(scores, items, steps).complete()
    n_items, n_steps = found.table.shape
    if n_items < 2 or n_steps < 2:
        nothing = Estimate(None, None, None, found.n, found.table.size, n_items)
        return Spread(n_steps, nothing, None, None, None, nothing, None, None, None, None)
    means = step_means(found.table)
    observed = float(means.max() - means.min())
    low, high = _ends(found, level=level)
    null = dealt_anew(found, _range, draws=draws, seed=seed)
    return Spread(
        n_steps=n_steps,
        spread=Estimate(observed, low, max(high, observed), found.n, found.table.size, n_items),
        null=float(null.mean()),
        null_high=float(np.quantile(null, 0.95)),
        p_value=float(1 + (null >= observed - 1e-12).sum()) / (1 + draws),
        deviation=denoised_deviation(found, level=level),
        lowest=float(means.min()),
        highest=float(means.max()),
        worst=found.steps[int(means.argmin())],
        best=found.steps[int(means.argmax())],
    )


def _ends(found: Cells, *, level: float) -> tuple[float, float]:
    pairs = list(combinations(range(len(found.steps)), 2))
    each = 1 - (1 - level) / len(pairs)
    low = high = 0.0
    for first, second in pairs:
        ends = difference_interval(found.table[:, first] - found.table[:, second], level=each)
        low = max(low, ends[0], -ends[1])
        high = max(high, ends[1], -ends[0])
    return low, high


def _range(means: np.ndarray) -> float:
    return float(means.max() - means.min())
