"""Preferences: which of two answers a judge liked better, with ties shown and never thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.binary import mcnemar_harm_p, tango_certify_p, tango_interval

Preference = Literal["win", "tie", "loss"]


@dataclass(frozen=True, slots=True)
class PreferenceEffect:
    """What the judged pairs say of the candidate.

    Attributes:
        n_pairs: Judged pairs, ties included.
        wins: The candidate was preferred.
        ties: Neither was.
        losses: The baseline was preferred.
        effect: (wins - losses) / pairs; positive is better.
        low: Lower end of the score interval of the effect.
        high: Upper end.
        harm_p: Sign test that the candidate is liked less; ties have no say in it.
        better_p: Sign test that it is liked more.
        certify_p: One-sided p value of an effect at or below -margin; None without margin.
    """

    n_pairs: int
    wins: int
    ties: int
    losses: int
    effect: float
    low: float
    high: float
    harm_p: float
    better_p: float
    certify_p: float | None

    @property
    def tie_share(self) -> float:
        """Share of pairs without a preference, 0 to 1."""
        return self.ties / self.n_pairs


def preference_effect(
    *, wins: int, ties: int, losses: int, level: float = 0.95, margin: float | None = None
) -> PreferenceEffect:
    """Sign test on wins and losses; the interval and the margin count all pairs, ties too.

    A judge that calls nearly everything a tie gives a small effect, however one-sided its few preferences are.

    Raises:
        EmptyComparison: Without pairs.

    Example:
        >>> found = preference_effect(wins=2, ties=10, losses=10)
        >>> round(found.effect, 3), round(found.harm_p, 4), round(found.tie_share, 3)
        (-0.364, 0.0112, 0.455)
    """
    n_pairs = wins + ties + losses
    if min(wins, ties, losses) < 0:
        raise UsageError(f"Counts cannot be negative: wins={wins}, ties={ties}, losses={losses}.")
    if not n_pairs:
        raise EmptyComparison("No pair was judged; a preference needs at least one.")
    low, high = tango_interval(right_to_wrong=losses, wrong_to_right=wins, n_pairs=n_pairs, level=level)
    certify_p = None
    if margin is not None:
        certify_p = tango_certify_p(
            right_to_wrong=losses, wrong_to_right=wins, n_pairs=n_pairs, margin=margin
        )
    return PreferenceEffect(
        n_pairs=n_pairs,
        wins=wins,
        ties=ties,
        losses=losses,
        effect=(wins - losses) / n_pairs,
        low=low,
        high=high,
        harm_p=mcnemar_harm_p(right_to_wrong=losses, wrong_to_right=wins),
        better_p=mcnemar_harm_p(right_to_wrong=wins, wrong_to_right=losses),
        certify_p=certify_p,
    )


def settled_preference(verdicts: Sequence[Preference]) -> Preference:
    """One preference of several judgements of one pair, such as both orders: they must not contradict each other.

    A judge that likes whatever stands first contradicts itself when the order is turned, and that is a tie.

    Example:
        >>> settled_preference(["win", "win"]), settled_preference(["win", "loss"]), settled_preference(["win", "tie"])
        ('win', 'tie', 'tie')
    """
    if not verdicts:
        raise EmptyComparison("A pair without a judgement has no preference.")
    kinds = set(verdicts)
    return verdicts[0] if len(kinds) == 1 else "tie"
