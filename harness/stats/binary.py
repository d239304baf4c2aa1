"""Paired 0-1 scores: is the candidate worse, and by how much at most?

Only discordant pairs, where the two runs differ, carry information. `right_to_wrong` counts the pairs the
candidate lost, `wrong_to_right` those it won; the effect is (won - lost) / pairs, so positive is better.
Counts may be fractions: a clustered sample enters at its effective size.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq
from scipy.special import bdtrc, ndtr, ndtri

from harness.core.errors import EmptyComparison, UsageError

# The score statistic is 0/0 at a difference of exactly +-1, so the search for its roots stops short of it.
_EDGE = 1e-12

EXACT_BELOW = 10
"""Below this many discordant pairs McNemar's test is exact: mid-p may then exceed its level."""


def mcnemar_harm_p(*, right_to_wrong: int, wrong_to_right: int) -> float:
    """One-sided McNemar test that the candidate is worse: exact below `EXACT_BELOW` discordant pairs, else mid-p.

    Under no harm a discordant pair is lost with probability at most one half. The mid-p value counts the
    observed outcome by half: near its level where the exact test is far too cautious. With few discordant pairs its
    level is not sure, so there the exact value stands, which is 1 with no discordant pair at all.

    Args:
        right_to_wrong: Pairs the candidate lost, >= 0.
        wrong_to_right: Pairs the candidate won, >= 0.

    Returns:
        P(X > lost) + P(X = lost) / 2 for X ~ Binomial(lost + won, 1/2), or P(X >= lost); small says harm.

    Raises:
        UsageError: If a count is negative.

    Example:
        >>> mcnemar_harm_p(right_to_wrong=5, wrong_to_right=0)
        0.03125
        >>> round(mcnemar_harm_p(right_to_wrong=9, wrong_to_right=2), 4)
        0.0193

    Source: McNemar 1947; Fagerland, Lydersen and Laake 2013.
    """
    _check_counts(right_to_wrong, wrong_to_right)
    n_discordant = right_to_wrong + wrong_to_right
    at_least = float(bdtrc(right_to_wrong - 1, n_discordant, 0.5)) if right_to_wrong else 1.0
    if n_discordant < EXACT_BELOW:
        return at_least
    more = float(bdtrc(right_to_wrong, n_discordant, 0.5))
    return (at_least + more) / 2


def tango_statistic(
    *, right_to_wrong: float, wrong_to_right: float, n_pairs: float, difference: float
) -> float:
    """Tango's score statistic for a hypothesised difference, standard normal if the hypothesis holds.

    It falls as `difference` rises and is 0 at the observed effect. The variance is estimated under the
    hypothesis, so it stays positive when no pair is discordant: the reason this test can be trusted there.

    Args:
        right_to_wrong: Pairs lost, >= 0; may be a fraction.
        wrong_to_right: Pairs won, >= 0; may be a fraction.
        n_pairs: All pairs, > 0 and at least the discordant ones.
        difference: Hypothesised effect, in (-1, 1).

    Example:
        >>> round(tango_statistic(right_to_wrong=0, wrong_to_right=0, n_pairs=150, difference=-0.02), 3)
        1.75

    Source: Tango 1998, equations for the restricted estimate and the score statistic.
    """
    _check_counts(right_to_wrong, wrong_to_right)
    _check_pairs(n_pairs, right_to_wrong + wrong_to_right)
    if not -1 < difference < 1:
        raise UsageError(f"A hypothesised difference of shares must lie inside (-1, 1), got {difference}.")
    linear = (2 * n_pairs - wrong_to_right + right_to_wrong) * difference - wrong_to_right - right_to_wrong
    constant = -right_to_wrong * difference * (1 - difference)
    root = math.sqrt(max(linear * linear - 8 * n_pairs * constant, 0.0))
    # Two forms of the same root; each avoids subtracting nearly equal numbers.
    lost_share = (root - linear) / (4 * n_pairs) if linear <= 0 else -2 * constant / (root + linear)
    variance = n_pairs * (2 * lost_share + difference * (1 - difference))
    distance = wrong_to_right - right_to_wrong - n_pairs * difference
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def tango_interval(
    *, right_to_wrong: float, wrong_to_right: float, n_pairs: float, level: float = 0.95
) -> tuple[float, float]:
    """Two-sided score interval for the paired difference of shares.

    Never of zero width, not even when no pair is discordant.

    Args:
        right_to_wrong: Pairs lost, >= 0; may be a fraction.
        wrong_to_right: Pairs won, >= 0; may be a fraction.
        n_pairs: All pairs, > 0.
        level: Coverage, in (0, 1).

    Returns:
        (low, high) inside [-1, 1], candidate minus baseline.

    Example:
        >>> low, high = tango_interval(right_to_wrong=0, wrong_to_right=0, n_pairs=100)
        >>> round(low, 4), round(high, 4)
        (-0.037, 0.037)

    Source: Tango 1998.
    """
    check_level(level)
    _check_counts(right_to_wrong, wrong_to_right)
    _check_pairs(n_pairs, right_to_wrong + wrong_to_right)
    critical = float(ndtri((1 + level) / 2))

    def excess(difference: float, bound: float) -> float:
        statistic = tango_statistic(
            right_to_wrong=right_to_wrong,
            wrong_to_right=wrong_to_right,
            n_pairs=n_pairs,
            difference=difference,
        )
        return statistic - bound

    effect = (wrong_to_right - right_to_wrong) / n_pairs
    bottom, top = -1 + _EDGE, 1 - _EDGE
    low, high = -1.0, 1.0
    if excess(bottom, critical) > 0:
        low = float(brentq(excess, bottom, top, args=(critical,), xtol=1e-12))
    if excess(top, -critical) < 0:
        high = float(brentq(excess, bottom, top, args=(-critical,), xtol=1e-12))
    return min(low, effect), max(high, effect)


def tango_certify_p(*, right_to_wrong: float, wrong_to_right: float, n_pairs: float, margin: float) -> float:
    """One-sided non-inferiority test: small says the effect lies above -margin.

    Args:
        right_to_wrong: Pairs lost, >= 0; may be a fraction.
        wrong_to_right: Pairs won, >= 0; may be a fraction.
        n_pairs: All pairs, > 0.
        margin: Largest loss still acceptable, in [0, 1).

    Returns:
        p value of the hypothesis effect <= -margin.

    Example:
        >>> round(tango_certify_p(right_to_wrong=0, wrong_to_right=0, n_pairs=50, margin=0.02), 3)
        0.156
    """
    if not 0 <= margin < 1:
        raise UsageError(f"A margin on shares must lie in [0, 1), got {margin}.")
    statistic = tango_statistic(
        right_to_wrong=right_to_wrong, wrong_to_right=wrong_to_right, n_pairs=n_pairs, difference=-margin
    )
    return float(ndtr(-statistic))


def check_level(level: float) -> None:
    """Raise `UsageError` unless `level` is a coverage strictly between 0 and 1."""
    if not 0 < level < 1:
        raise UsageError(f"An interval's level must lie in (0, 1), such as 0.95; got {level}.")


def _check_counts(right_to_wrong: float, wrong_to_right: float) -> None:
    if not (right_to_wrong >= 0 and wrong_to_right >= 0):
        raise UsageError(
            f"Counts of discordant pairs cannot be negative: right_to_wrong={right_to_wrong}, "
            f"wrong_to_right={wrong_to_right}."
        )


def _check_pairs(n_pairs: float, n_discordant: float) -> None:
    if not n_pairs > 0:
        raise EmptyComparison(f"There are {n_pairs} pairs to compare; at least one is needed.")
    if n_discordant > n_pairs * (1 + 1e-9):
        raise UsageError(f"{n_discordant} discordant pairs cannot be among {n_pairs} pairs.")
