"""Floors and ceilings: demands on the candidate alone, on the items as they are.

There is no margin and no test here: a value beyond the bound fails. The interval is told beside it, so that a value
that fell on the right side by luck can be seen for what it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.comparison import Effect
from harness.comparison.effects import effect_of, slice_mask
from harness.core.errors import PolicyError
from harness.gating.members import Member, Tags
from harness.gating.verdict import Judgement, Status
from harness.policy import Policy, Rule
from harness.stats.paired import paired_effect


def judge_absolute(policy: Policy, members: list[Member], tags: Tags) -> list[Judgement]:
    """One judgement a member.

    Args:
        policy: How many system failures it allows.
        members: Of rules with a floor or ceiling; their pairs hold the candidate on both sides.
        tags: Per suite, variant_id -> tags.

    Raises:
        PolicyError: If a bound lies outside what the metric can be.
    """
    return [_judged(policy, member, tags) for member in members]


def _judged(policy: Policy, member: Member, tags: Tags) -> Judgement:
    _check_bound(policy, member)
    own = tags.get(member.pairs.record.name)
    found = effect_of(member.pairs, member.metric, member.where, tags=own)
    effect = replace(
        found, baseline=None, effect=None, low=None, high=None, harm_p=None, certify_p=None, lost=None, won=None,
        method="the candidate's own value, not tested",
    )  # fmt: skip
    status, reason = _status(policy, member, effect, tags)
    return Judgement(member.rule, effect, None, status, reason, None, None, (), None)


def bound_of(rule: Rule) -> tuple[str, float]:
    """ "floor" or "ceiling", and its value."""
    if rule.floor is not None:
        return "floor", rule.floor
    assert rule.ceiling is not None
    return "ceiling", rule.ceiling


def _check_bound(policy: Policy, member: Member) -> None:
    kind, bound = bound_of(member.rule)
    low, high = member.metric.bounds
    is_idle = (low is not None and bound <= low) if kind == "floor" else (high is not None and bound >= high)
    is_hopeless = (
        (high is not None and bound > high) if kind == "floor" else (low is not None and bound < low)
    )
    if is_idle or is_hopeless:
        what = "forbids nothing" if is_idle else "can never be met"
        shown = " and ".join("any value" if end is None else f"{end:g}" for end in (low, high))
        raise PolicyError(
            f"a {kind} of {bound:g} {what}: '{member.metric.name}' lies between {shown}.",
            path=policy.path,
            line=member.rule.line,
            field=kind,
        )


def _status(policy: Policy, member: Member, effect: Effect, tags: Tags) -> tuple[Status, str]:
    kind, bound = bound_of(member.rule)
    value = effect.candidate
    if value is None:
        return "inconclusive", f"{effect.n_scored} of {effect.n} scored: nothing to judge."
    if effect.n and effect.failed / effect.n > policy.max_failed_share:
        return "inconclusive", (
            f"{effect.failed} of {effect.n} variants failed in a system, not in the model (the policy allows "
            f"{policy.max_failed_share:.0%}); mend it and run again with --replicate 1."
        )
    interval = _interval(member, tags)
    said = "" if interval is None else f" (95 % interval {interval[0]:.4g} to {interval[1]:.4g})"
    is_met = value >= bound if kind == "floor" else value <= bound
    if is_met:
        return "pass", f"{value:.4g} keeps the {kind} of {bound:g}{said}."
    return "fail", f"{value:.4g} is {'below' if kind == 'floor' else 'above'} the {kind} of {bound:g}{said}."


def _interval(member: Member, tags: Tags) -> tuple[float, float] | None:
    """The 95 % interval of the candidate's own mean: of its difference from nothing at all."""
    low, high = member.metric.bounds
    if member.metric.corpus or (low is not None and low > 0):
        return None
    table = member.pairs.scores
    table = table[(table["metric"] == member.metric.name).to_numpy()]
    table = table[slice_mask(table, member.where, tags=tags.get(member.pairs.record.name))]
    table = table[table["candidate"].notna().to_numpy()]
    values = table["candidate"].to_numpy(float)
    found = paired_effect(
        np.zeros(len(values)),
        values,
        table["item_id"].to_list(),
        binary=member.metric.binary and bool((table["samples"] == 1).all()),
        bounds=(low, high),
    )
    return None if found.low is None or found.high is None else (found.low, found.high)
