"""Three verdicts per member: significantly worse and beyond the margin, certified not worse, or neither."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING

from harness.comparison import Effect, Slice, SuitePairs
from harness.comparison.effects import effect_of, slice_mask
from harness.gating.members import RATES, Member
from harness.gating.verdict import Judgement, Status
from harness.policy import Policy
from harness.stats.family import holm_adjusted
from harness.stats.paired import paired_effect
from harness.stats.power import detectable_effects

if TYPE_CHECKING:
    import pandas as pd


POWER = 0.8


def judge(policy: Policy, members: Sequence[Member], tags: dict[str, pd.Series]) -> list[Judgement]:
    """Measure every member, adjust harm over each tier's family by Holm, and judge.

    Certifying needs no adjustment: the build passes only if every member passes (intersection-union).

    Args:
        policy: Level and limits.
        members: What to test.
        tags: Per suite, variant_id -> tags.
    """
    measured = [_measured(member, tags[member.pairs.record.name]) for member in members]
    adjusted: list[float | None] = [None] * len(members)
    for tier in ("blocking", "advisory"):
        places = [
            place
            for place, (member, (effect, _)) in enumerate(zip(members, measured, strict=True))
            if member.rule.tier == tier and effect.harm_p is not None
        ]
        ps = holm_adjusted([measured[place][0].harm_p for place in places])  # type: ignore[misc]
        for place, p in zip(places, ps, strict=True):
            adjusted[place] = float(p)
    return [
        _judgement(policy, member, effect, margin, harm_p)
        for member, (effect, margin), harm_p in zip(members, measured, adjusted, strict=True)
    ]


def _measured(member: Member, tags: pd.Series) -> tuple[Effect, float | None]:
    """The effect and the margin in the metric's units."""
    if member.metric.name in RATES:
        margin = member.rule.margin.absolute(1.0)
        return rate_effect(member.pairs, member.metric.name, member.where, margin=margin, tags=tags), margin
    if not member.rule.margin.is_relative:
        margin = member.rule.margin.value
        return effect_of(member.pairs, member.metric, member.where, margin=margin, tags=tags), margin
    plain = effect_of(member.pairs, member.metric, member.where, tags=tags)
    if plain.baseline is None:
        return plain, None
    margin = member.rule.margin.absolute(plain.baseline)
    if margin <= 0:
        return plain, None
    return effect_of(member.pairs, member.metric, member.where, margin=margin, tags=tags), margin


def rate_effect(pairs: SuitePairs, rate: str, where: Slice, *, margin: float, tags: pd.Series) -> Effect:
    """The paired effect of the share of unparsed or abstained answers, lower is better."""
    outcome = rate.removesuffix("_rate")
    table = pairs.scores[pairs.scores["metric"] == pairs.metrics[0].name]
    table = table[slice_mask(table, where, tags=tags)]
    is_failed = (table["outcome_baseline"] == "failed") | (table["outcome_candidate"] == "failed")
    answered = table[~is_failed]
    blank = Effect(
        pairs.record.name, rate, where, "lower", len(table), 0, 0, None, None, None, None, None, None, None, None, None,
        int(is_failed.sum()), "nothing answered on both sides",
    )  # fmt: skip
    if answered.empty:
        return blank
    before = (answered["outcome_baseline"] != outcome).to_numpy(float)
    after = (answered["outcome_candidate"] != outcome).to_numpy(float)
    found = paired_effect(
        before, after, answered["item_id"].to_list(), binary=True, bounds=(0.0, 1.0), margin=margin
    )
    return replace(
        blank,
        n_scored=len(answered),
        n_items=found.n_clusters,
        baseline=1 - found.baseline_mean,
        candidate=1 - found.candidate_mean,
        effect=found.effect,
        low=found.low,
        high=found.high,
        harm_p=found.harm_p,
        certify_p=found.certify_p,
        lost=found.discordant_right_to_wrong,
        won=found.discordant_wrong_to_right,
        method=found.method,
    )


def _judgement(
    policy: Policy, member: Member, effect: Effect, margin: float | None, harm_p: float | None
) -> Judgement:
    status, reason = _status(policy, member.pairs, effect, margin, harm_p)
    detectable: tuple[tuple[float, float | None], ...] = ()
    if member.metric.binary and effect.n_items:
        found = detectable_effects(effect.n_items, alpha=policy.alpha)
        detectable = tuple((each.discordance, each.effect) for each in found)
    needed = _items_needed(effect, margin, policy.alpha) if status == "inconclusive" and margin else None
    return Judgement(
        member.rule, effect, margin, status, reason, harm_p, effect.certify_p, detectable, needed
    )


def _items_needed(effect: Effect, margin: float, alpha: float) -> int | None:
    """Source items with which an unchanged candidate would be certified 4 times of 5, at this spread.

    None where the spread is unknown, or where these items should have been enough: then the loss is the reason.
    """
    if effect.low is None or effect.high is None:
        return None
    normal = NormalDist()
    error = (effect.high - effect.low) / (2 * normal.inv_cdf(0.975))
    reach = normal.inv_cdf(1 - alpha) + normal.inv_cdf(POWER)
    needed = math.ceil(effect.n_items * (reach * error / margin) ** 2)
    return needed if needed > effect.n_items else None


def _status(
    policy: Policy, pairs: SuitePairs, effect: Effect, margin: float | None, harm_p: float | None
) -> tuple[Status, str]:
    """The rule of three: no evidence is never a pass."""
    if pairs.shared_share < policy.min_shared:
        return "inconclusive", (
            f"only {pairs.shared_share:.1%} of the suite's variants may be compared (the policy asks for "
            f"{policy.min_shared:.0%}); see the differences."
        )
    if effect.effect is None or margin is None or harm_p is None or effect.certify_p is None:
        return "inconclusive", f"{effect.n_scored} of {effect.n} scored on both sides: nothing to judge."
    if effect.n and effect.failed / effect.n > policy.max_failed_share:
        return "inconclusive", (
            f"{effect.failed} of {effect.n} variants failed in a system, not in the model (the policy allows "
            f"{policy.max_failed_share:.0%}); run again to retry them."
        )
    loss = -effect.effect
    if harm_p <= policy.alpha and loss > margin:
        return "fail", f"worse by {loss:.4g}, beyond the margin of {margin:.4g} (p = {harm_p:.2g})."
    if effect.certify_p <= policy.alpha:
        return "pass", f"a loss of {margin:.4g} or more is ruled out (p = {effect.certify_p:.2g})."
    if harm_p <= policy.alpha:
        return (
            "inconclusive",
            f"worse by {loss:.4g}, but within the margin of {margin:.4g} as far as these items tell.",
        )
    return (
        "inconclusive",
        f"a loss of {margin:.4g} can be neither shown nor ruled out with {effect.n_items} items.",
    )
