"""Every demand of a policy judged, each by its kind, in the policy's order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from harness.comparison import Pairing, pair_runs
from harness.gating.absolute import judge_absolute
from harness.gating.derived import PEAK_MEMORY
from harness.gating.judge import judge
from harness.gating.members import Tags, members
from harness.gating.must_pass import judge_must_pass
from harness.gating.peak_memory import judge_peak_memory
from harness.gating.quarantine import without_quarantined
from harness.gating.verdict import Judgement
from harness.policy import Policy, Rule
from harness.store import StoredRun


def all_judgements(
    policy: Policy, paired: Pairing, tags: Tags, *, suite: str | None, today: date, families: int = 1
) -> tuple[Judgement, ...]:
    """Rules with a margin as one family; floors, ceilings and must-pass lists on the candidate alone.

    Args:
        policy: What is demanded.
        paired: Both sides, without what is quarantined.
        tags: Per suite, variant_id -> tags.
        suite: Only this suite of the candidate, where floors are judged.
        today: The day that the quarantine is read on.
        families: How many comparisons share the level.
    """
    unfit = why_times_differ(paired.baseline, paired.candidate)
    memory = [rule for rule in policy.rules if rule.measure == PEAK_MEMORY]
    absolute = [rule for rule in policy.rules if rule.is_absolute and rule not in memory]
    compared = [rule for rule in policy.rules if not rule.is_absolute and rule not in memory]
    found: list[Judgement] = []
    if compared and (paired.why_empty is None or all(rule.values is not None for rule in compared)):
        tested = members(policy, paired.suites, tags, rules=compared, unfit=unfit)
        found += judge(policy, tested, tags, families=families)
    if absolute:
        # The candidate on both sides: what the baseline lacks is no reason not to hold it to a floor.
        own = pair_runs(paired.candidate, paired.candidate, suites=None if suite is None else [suite])
        own, _ = without_quarantined(own, policy, today=today)
        found += judge_absolute(policy, members(policy, own.suites, tags, rules=absolute), tags)
    found += [judge_peak_memory(rule, paired.baseline, paired.candidate, unfit=unfit) for rule in memory]
    in_force = [entry for entry in policy.quarantine if entry.until >= today]
    found += [
        judge_must_pass(policy, rule, paired.candidate, quarantined=in_force) for rule in policy.must_pass
    ]
    places = {id(rule): place for place, rule in enumerate(policy.demands)}
    return tuple(sorted(found, key=lambda judgement: places[id(judgement.rule)]))


def why_times_differ(baseline: Sequence[StoredRun], candidate: Sequence[StoredRun]) -> str | None:
    """Why times and memory of two sides say nothing of the checkpoints; None where they may be compared."""
    for name in ("device", "batch_tokens"):
        held = [
            {str(_described(run).get(name)) for run in runs if _described(run).get(name) is not None}
            for runs in (baseline, candidate)
        ]
        if held[0] and held[1] and held[0] != held[1]:
            before, after = (", ".join(sorted(values)) for values in held)
            return f"measured with another {name} ({before} and {after}); run both alike."
    return None


def _described(run: StoredRun) -> dict[str, object]:
    found = run.manifest.environment.get("backend", {})
    return found if isinstance(found, dict) else {}


def rule_place(policy: Policy, rule: Rule) -> int | None:
    """A demand's place in its policy; None for one of another policy."""
    return next((place for place, own in enumerate(policy.demands) if own == rule), None)
