"""A policy judged once: what every rule's test shows, as plain values that workers can share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.core.digest import digest

if TYPE_CHECKING:
    from harness.gating import Judgement, Verdict
    from harness.gating.gate import Judged
    from harness.policy import Policy
    from harness.pytest_plugin.session import GateSession, Json
    from harness.report.worst_losses import Loss

MOST_IN_FULL = 2
ORDER = ("pass", "inconclusive", "fail")


def judged_record(
    session: GateSession,
    policy: Policy,
    *,
    where: str,
    candidate: str,
    baseline: str | None,
    suite: str | None = None,
) -> Json:
    """The verdict of a whole policy, drawn once in the session.

    Args:
        session: Whose store, flags and workers.
        policy: All its rules are one family, whichever tests were selected.
        where: What people call it: the policy's path, or the test that asked.
        candidate: A run's id or name, or a checkpoint's folder.
        baseline: A run's id or name; None takes the policy's.
        suite: Only this suite.
    """
    chosen = session.option("inconclusive")
    if chosen is not None:
        policy = with_inconclusive(policy, chosen)
    key = digest("pytest-gate/1", policy.digest, where, session.store, candidate, baseline or "", suite or "")

    def make() -> Json:
        from harness.gating.gate import judged
        from harness.pytest_plugin.candidate import resolved, suite_name
        from harness.store import open_store

        store = open_store(session.store)
        against = baseline or policy.baseline
        runs = resolved(store, candidate, baseline=against, suite=suite)
        only = None if suite is None else suite_name(suite)
        found = judged(candidate=runs, baseline=against, policy=policy, store=store, suite=only)
        return {"key": key} | _record(found, policy, where=where, store=session.store, baseline_ref=against)

    return session.once(key, make)


def with_inconclusive(policy: Policy, chosen: str) -> Policy:
    """The policy with another meaning of an inconclusive verdict.

    Raises:
        UsageError: If the choice is neither fail nor warn.
    """
    from harness.core.naming import unknown_name

    if chosen == "fail":
        return replace(policy, inconclusive="fail")
    if chosen == "warn":
        return replace(policy, inconclusive="warn")
    raise unknown_name("--harness-inconclusive", chosen, ("fail", "warn"))


def _record(found: Judged, policy: Policy, *, where: str, store: str, baseline_ref: str | None) -> Json:
    from harness.gating.all_rules import rule_place
    from harness.report.verdict import verdict_markdown

    verdict = found.verdict
    outcomes = [
        _outcome(found, judgement, where=where, store=store)
        | {"rule": rule_place(policy, judgement.rule), "line": judgement.rule.line}
        for judgement in verdict.judgements
    ]
    return {
        "where": where,
        "status": verdict.status,
        "reason": verdict.reason,
        "warns_only": verdict.warns_only,
        "alpha": verdict.alpha,
        "baseline_ref": baseline_ref,
        "candidate_runs": [run_id for run_id, _ in verdict.candidate],
        "outcomes": outcomes,
        "verdict": verdict.to_json(),
        "markdown": verdict_markdown(verdict),
    }


def _outcome(found: Judged, judgement: Judgement, *, where: str, store: str) -> Json:
    from harness.report.rule_text import rule_lines, rule_text
    from harness.report.worst_losses import worst_losses

    losses: tuple[Loss, ...] = ()
    if judgement.status != "pass":
        losses = worst_losses(found.pairing, judgement, tags=found.tags.get(judgement.effect.suite))
    return {
        "where": where,
        "title": judgement.title,
        "status": judgement.status,
        "blocking": judgement.is_blocking,
        "reason": judgement.reason,
        "brief": "\n".join(rule_lines(judgement)),
        "text": rule_text(found.verdict, judgement, losses=losses, store=store),
        "facts": facts(found.verdict, judgement),
    }


def facts(verdict: Verdict, judgement: Judgement) -> dict[str, str | float | int]:
    """What JUnit's properties say of a judgement; what is missing is left out."""
    effect = judgement.effect
    said: dict[str, Any] = {
        "gate": judgement.title,
        "verdict": judgement.status,
        "tier": judgement.rule.tier,
        "baseline": effect.baseline,
        "candidate": effect.candidate,
        "effect": effect.effect,
        "interval_low": effect.low,
        "interval_high": effect.high,
        "margin": judgement.margin,
        "n_items": effect.n_items,
        "n_scored": effect.n_scored,
        "harm_p": judgement.harm_p,
        "certify_p": judgement.certify_p,
        "items_needed": judgement.items_needed,
        "baseline_run": ", ".join(run_id for run_id, _ in verdict.baseline),
        "candidate_run": ", ".join(run_id for run_id, _ in verdict.candidate),
    }
    for discordance, smallest in judgement.detectable:
        said[f"mde_at_discordance_{discordance:g}"] = smallest
    return {name: value for name, value in said.items() if value is not None}


def text_of(outcomes: Sequence[Json], *, in_full: int = MOST_IN_FULL) -> str:
    """What did not pass: the first few with their worst losses, the others with their numbers."""
    failing = sorted(
        (outcome for outcome in outcomes if outcome["status"] != "pass"),
        key=lambda outcome: -ORDER.index(outcome["status"]),
    )
    texts = [str(outcome["text"]) for outcome in failing[:in_full]]
    texts += [str(outcome["brief"]) for outcome in failing[in_full:]]
    passed = len(outcomes) - len(failing)
    if failing and passed:
        texts.append(f"{passed} of {len(outcomes)} judgements passed.")
    return "\n\n".join(texts)


def worst(outcomes: Sequence[Json]) -> str:
    """The gravest status among a rule's judgements."""
    return max((str(outcome["status"]) for outcome in outcomes), key=ORDER.index)
