"""Many p values at once: what each is worth after the others were looked at too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError


def holm_adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment: rejecting those <= alpha keeps any false alarm at alpha.

    Holds under every dependence between the tests. For pre-registered rules, which may fail a build.

    Args:
        p_values: One per rule, each in [0, 1], any order.

    Returns:
        Adjusted values in the order given; never below the raw ones.

    Example:
        >>> holm_adjusted([0.01, 0.04, 0.03])
        (0.03, 0.06, 0.06)

    Source: Holm 1979.
    """
    _check_p_values(p_values)
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return tuple(adjusted)


@dataclass(frozen=True, slots=True)
class FamilyHarm:
    """Adjusted p values of a family and of its macro average; those <= alpha are rejected.

    Attributes:
        rules: One per rule, in the order given.
        macro: Of the average over tasks; None where there is none.
    """

    rules: tuple[float, ...]
    macro: float | None


def family_harm(p_values: Sequence[float], *, macro_p: float | None = None) -> FamilyHarm:
    """Half of the level to the average over tasks, half to Holm over the rules; what one half wins the other gets.

    A loss spread thinly over all tasks shows in the average, a loss on one task in that task. Once either half has
    rejected all of its own, its level passes to the other; any false alarm stays at alpha under every dependence.

    Args:
        p_values: One per rule.
        macro_p: Of the average; None gives all of the level to the rules.

    Example:
        >>> family_harm([0.03, 0.5], macro_p=0.01)
        FamilyHarm(rules=(0.06, 0.5), macro=0.02)
        >>> family_harm([0.015], macro_p=0.04)
        FamilyHarm(rules=(0.03,), macro=0.04)

    Source: Holm 1979; the passing on is the graphical procedure of Bretz, Maurer, Brannath and Posch 2009.
    """
    own = holm_adjusted(p_values)
    if macro_p is None or not own:
        return FamilyHarm(own, macro_p)
    _check_p_values([macro_p])
    rules = tuple(min(1.0, 2 * p_value, max(2 * macro_p, p_value)) for p_value in own)
    return FamilyHarm(rules, min(1.0, 2 * macro_p, max(2 * max(own), macro_p)))


def benjamini_hochberg_adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Benjamini-Hochberg's step-up adjustment: of those <= q, at most a share q is false on average.

    For discovered slices, which are shown and never fail a build.

    Args:
        p_values: One per slice, each in [0, 1], any order.

    Returns:
        Adjusted values in the order given.

    Example:
        >>> benjamini_hochberg_adjusted([0.01, 0.04, 0.03])
        (0.03, 0.04, 0.04)

    Source: Benjamini and Hochberg 1995.
    """
    _check_p_values(p_values)
    n_tests = len(p_values)
    order = sorted(range(n_tests), key=lambda index: p_values[index])
    adjusted = [0.0] * n_tests
    running = 1.0
    for rank in range(n_tests, 0, -1):
        index = order[rank - 1]
        running = min(running, p_values[index] * n_tests / rank)
        adjusted[index] = running
    return tuple(adjusted)


def _check_p_values(p_values: Sequence[float]) -> None:
    for position, p_value in enumerate(p_values):
        if math.isnan(p_value) or not 0 <= p_value <= 1:
            raise UsageError(f"p value {position} is {p_value}; each must lie in [0, 1].")
