"""Three verdicts per member: significantly worse and beyond the margin, certified not worse, or neither."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from harness.comparison import Effect, SuitePairs
from harness.comparison.corpus import DRAWS
from harness.comparison.effects import effect_of, rate_effect
from harness.comparison.recipes import sibling_discordance
from harness.gating.average import average_judgement, average_of
from harness.gating.members import Member, Tags
from harness.gating.verdict import Judgement, Status
from harness.policy import Policy
from harness.stats.corpus import draws_needed
from harness.stats.family import family_harm, holm_adjusted
from harness.stats.power import can_decide, detectable_effects

POWER = 0.8


def judge(policy: Policy, members: Sequence[Member], tags: Tags, *, families: int = 1) -> list[Judgement]:
    """Measure every member, adjust harm over each tier's family, and judge.

    The blocking rules' level is split between the average over their tasks and Holm over the rules; advisory rules
    have Holm among themselves. The average is told only where it fails.
    Certifying needs no adjustment: the build passes only if every member passes (intersection-union).

    Args:
        policy: Level and limits.
        members: What to test.
        tags: Per suite, variant_id -> tags.
        families: How many comparisons share the level: two where there is an anchor beside the baseline.
    """
    n_blocking = sum(member.rule.tier == "blocking" for member in members)
    draws = max(DRAWS, draws_needed(max(1, n_blocking), alpha=policy.alpha / (2 * families)))
    measured = [
        _measured(member, tags, draws if member.rule.tier == "blocking" else DRAWS) for member in members
    ]
    margins = [
        margin if _is_judgeable(policy, member.pairs, effect) else None
        for member, (effect, margin) in zip(members, measured, strict=True)
    ]
    average = average_of(members, margins, tags)
    harm: dict[str, dict[tuple[object, ...], float]] = {"blocking": {}, "advisory": {}}
    for member, (effect, _) in zip(members, measured, strict=True):
        if effect.harm_p is not None:
            # Two rules on the same numbers are one hypothesis.
            harm[member.rule.tier][member.hypothesis] = effect.harm_p
    family = family_harm(list(harm["blocking"].values()), macro_p=None if average is None else average.harm_p)
    p_values = {"blocking": family.rules, "advisory": holm_adjusted(list(harm["advisory"].values()))}
    adjusted = {
        tier: dict(zip(harm[tier], (min(1.0, families * p) for p in p_values[tier]), strict=True))
        for tier in harm
    }
    found = [
        _judgement(policy, member, effect, margin, adjusted[member.rule.tier].get(member.hypothesis))
        for member, (effect, margin) in zip(members, measured, strict=True)
    ]
    macro_p = None if family.macro is None else min(1.0, families * family.macro)
    told = average_judgement(average, macro_p, alpha=policy.alpha)
    return found if told is None else [*found, told]


def _measured(member: Member, tags: Tags, draws: int) -> tuple[Effect, float | None]:
    """The effect and the margin in the metric's units, None where a relative margin has nothing to be a share of."""
    pairs, own = member.pairs, tags.get(member.pairs.record.name)
    if member.rate is not None:
        margin = member.margin.value
        return rate_effect(pairs, member.rate, member.where, margin=margin, tags=own), margin
    if not member.margin.is_relative:
        margin = member.margin.value
        return effect_of(pairs, member.metric, member.where, margin=margin, tags=own, draws=draws), margin
    plain = effect_of(pairs, member.metric, member.where, tags=own, draws=draws)
    if not plain.baseline:
        return plain, None
    margin = member.margin.absolute(plain.baseline)
    return effect_of(pairs, member.metric, member.where, margin=margin, tags=own, draws=draws), margin


def _judgement(
    policy: Policy, member: Member, effect: Effect, margin: float | None, harm_p: float | None
) -> Judgement:
    status, reason = _status(policy, member.pairs, effect, margin, harm_p)
    if member.unfit is not None:
        status, reason = "inconclusive", member.unfit
    detectable: tuple[tuple[float, float | None], ...] = ()
    if member.metric.binary and effect.n_items:
        # Never from the pairs that are judged: that would say only what was found.
        known = sibling_discordance(member.pairs, member.metric) or None
        found = detectable_effects(effect.n_items, discordance=known, alpha=policy.alpha)
        detectable = tuple((each.discordance, each.effect) for each in found)
    if status == "inconclusive" and member.unfit is None:
        reason = " ".join([reason, *_undecidable(policy, member, effect, margin)])
    needed = _items_needed(effect, margin, policy.alpha) if status == "inconclusive" and margin else None
    return Judgement(
        member.rule, effect, margin, status, reason, harm_p, effect.certify_p, detectable, needed
    )


def _is_judgeable(policy: Policy, pairs: SuitePairs, effect: Effect) -> bool:
    """Whether enough was shared and answered for the numbers to stand for the suite."""
    is_answered = effect.n > 0 and effect.failed / effect.n <= policy.max_failed_share
    return pairs.n_shared > 0 and pairs.shared_share >= policy.min_shared and is_answered


def _undecidable(policy: Policy, member: Member, effect: Effect, margin: float | None) -> list[str]:
    """Why no answers at all could have settled it, where that is so: then the suite is at fault, not the candidate."""
    low, high = member.metric.bounds
    if not member.metric.binary or not effect.n_items or margin is None or low is None or high is None:
        return []
    share = margin / (high - low)
    if not 0 <= share < 1:
        return []
    is_clustered = effect.n_scored > effect.n_items
    found = can_decide(effect.n_items, margin=share, alpha=policy.alpha, is_clustered=is_clustered)
    return [found.reason] if found.reason else []


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
    if not pairs.n_shared or pairs.shared_share < policy.min_shared:
        return "inconclusive", (
            f"only {pairs.shared_share:.1%} of the suite's variants may be compared (the policy asks for "
            f"{policy.min_shared:.0%}); see the differences."
        )
    if effect.effect is None:
        return "inconclusive", f"{effect.n_scored} of {effect.n} scored on both sides: nothing to judge."
    if margin is None or harm_p is None or effect.certify_p is None:
        return "inconclusive", "the baseline's value is 0, so a share of it is no margin; give one in units."
    if effect.n and effect.failed / effect.n > policy.max_failed_share:
        return "inconclusive", (
            f"{effect.failed} of {effect.n} variants failed in a system, not in the model (the policy allows "
            f"{policy.max_failed_share:.0%}); mend it and run that side again with --replicate 1."
        )
    loss = -effect.effect
    if harm_p <= policy.alpha and loss > margin:
        return "fail", f"worse by {loss:.4g}, beyond the margin of {margin:.4g} ({_p(harm_p)})."
    if effect.certify_p <= policy.alpha:
        return "pass", f"a loss of {margin:.4g} or more is ruled out ({_p(effect.certify_p)})."
    if harm_p <= policy.alpha:
        return (
            "inconclusive",
            f"worse by {loss:.4g}, but within the margin of {margin:.4g} as far as these items tell.",
        )
    return (
        "inconclusive",
        f"a loss of {margin:.4g} can be neither shown nor ruled out with {effect.n_items} items.",
    )


def _p(p: float) -> str:
    """A p value in words; nobody needs the two hundredth decimal."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"
