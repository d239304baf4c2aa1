"""The gate: compare, test every rule of the policy, and give one verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from harness.comparison import Difference, Pairing, SuitePairs, pair_runs
from harness.comparison.sides import Runs, side
from harness.core.errors import UsageError
from harness.gating.all_rules import all_judgements
from harness.gating.quarantine import without_quarantined
from harness.gating.verdict import Judgement, Status, Verdict
from harness.policy import Policy, default_policy, load_policy
from harness.store import Store, StoredRun, open_store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with what it was drawn from.

    Args:
        verdict: What the gate says.
        pairing: Both sides' comparable variants.
        tags: Per suite, variant_id -> tags.
    """

    verdict: Verdict
    pairing: Pairing
    tags: Mapping[str, pd.Series]


def gate(
    *,
    candidate: Runs | str | Sequence[str],
    baseline: Runs | str | Sequence[str] | None = None,
    policy: Policy | str | Path | None = None,
    store: Store | str | Path | None = None,
    suite: str | None = None,
    today: date | None = None,
    anchor: Runs | str | Sequence[str] | None = None,
) -> Verdict:
    """Judge a candidate against a baseline.

    Args:
        candidate: A stored run (or several: seeds, replicates), or ids or names of runs in `store`.
        baseline: The same of the baseline; None takes the policy's.
        policy: A policy or its file; None judges every suite's primary metric at margin .05, also per transform.
        store: Where ids and names are looked up.
        suite: Only this suite.
        today: The day that the policy's quarantine is read on; None is this day.
        anchor: A frozen run, such as the last release, that is compared with as well: many small steps, each within
            the margin of the one before, then cannot lead far away. The level is shared by both comparisons.

    Returns:
        The verdict. Without anything to compare it is inconclusive, never a pass.

    Raises:
        UsageError: Without a baseline, or with a name and no store.
        UnknownName: If neither side ran `suite`.
        PolicyError: If a rule cannot be applied to what was compared.
        DataError: If a file that the policy names is faulty.
    """
    return judged(
        candidate=candidate,
        baseline=baseline,
        policy=policy,
        store=store,
        suite=suite,
        today=today,
        anchor=anchor,
    ).verdict


def judged(
    *,
    candidate: Runs | str | Sequence[str],
    baseline: Runs | str | Sequence[str] | None = None,
    policy: Policy | str | Path | None = None,
    store: Store | str | Path | None = None,
    suite: str | None = None,
    today: date | None = None,
    anchor: Runs | str | Sequence[str] | None = None,
) -> Judged:
    """As `gate`, with the pairs behind the verdict, for whoever shows single answers."""
    if policy is None:
        policy = default_policy()
    elif isinstance(policy, (str, Path)):
        policy = load_policy(policy)
    chosen = baseline if baseline is not None else policy.baseline
    if chosen is None:
        raise UsageError(
            "No baseline: name one with --baseline, or in the policy as `baseline: {run: NAME}`."
        )
    opened = open_store(store) if isinstance(store, (str, Path)) else store
    before, after = side(_runs(chosen, opened)), side(_runs(candidate, opened))
    day, families = today or date.today(), 1 if anchor is None else 2
    judgements, paired, tags, notes = _judged_side(
        before, after, policy, suite=suite, today=day, families=families
    )
    frozen: tuple[StoredRun, ...] = ()
    if anchor is not None:
        frozen = side(_runs(anchor, opened))
        others, *_ = _judged_side(frozen, after, policy, suite=suite, today=day, families=families)
        # Floors and must-pass lists are about the candidate alone: once is enough.
        judgements += tuple(replace(one, against="anchor") for one in others if not one.rule.is_absolute)
    status = overall(judgements)
    verdict = Verdict(
        status=status,
        reason=paired.why_empty or sentence(status, judgements),
        judgements=judgements,
        differences=(*paired.differences, *notes),
        baseline=_names(before),
        candidate=_names(after),
        alpha=policy.alpha,
        policy_digest=policy.digest,
        policy_path=policy.path,
        warns_only=policy.inconclusive == "warn",
        anchor=_names(frozen),
    )
    return Judged(verdict, paired, tags)


def _judged_side(
    before: tuple[StoredRun, ...],
    after: tuple[StoredRun, ...],
    policy: Policy,
    *,
    suite: str | None,
    today: date,
    families: int,
) -> tuple[tuple[Judgement, ...], Pairing, dict[str, pd.Series], tuple[Difference, ...]]:
    """The candidate against one side: judgements, what they were drawn from, and what the quarantine left out."""
    paired = pair_runs(before, after, suites=None if suite is None else [suite])
    tags = {pairs.record.name: _tags((*after, *before), pairs) for pairs in paired.suites}
    paired, notes = without_quarantined(paired, policy, today=today)
    judgements = all_judgements(policy, paired, tags, suite=suite, today=today, families=families)
    return judgements, paired, tags, notes


def _runs(chosen: Runs | str | Sequence[str], store: Store | None) -> Runs:
    """Stored runs, ids and names looked up."""
    if isinstance(chosen, str):
        return _run(chosen, store)
    if isinstance(chosen, StoredRun):
        return chosen
    return [_run(each, store) if isinstance(each, str) else each for each in chosen]


def _run(chosen: str, store: Store | None) -> StoredRun:
    if store is None:
        raise UsageError(f"Run '{chosen}' is named by text: pass the store it is in (--store).")
    return store.run(chosen)


def _names(runs: tuple[StoredRun, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((run.run_id, run.manifest.checkpoint.name) for run in runs)


def _tags(runs: tuple[StoredRun, ...], pairs: SuitePairs) -> pd.Series:
    """variant_id -> tags of a suite's variants, from the first run that asked it."""
    suite = pairs.record.name
    run = next(run for run in runs if any(record.name == suite for record in run.manifest.suites))
    items = run.variants(suite).set_index("variant_id")
    tags: pd.Series = items["tags"].map(json.loads)
    return tags


def overall(judgements: tuple[Judgement, ...]) -> Status:
    """fail if any blocking rule failed, pass if all passed, else inconclusive (also without a blocking rule)."""
    blocking = [judgement.status for judgement in judgements if judgement.is_blocking]
    if "fail" in blocking:
        return "fail"
    if blocking and all(status == "pass" for status in blocking):
        return "pass"
    return "inconclusive"


def sentence(status: Status, judgements: tuple[Judgement, ...]) -> str:
    """The verdict in one sentence, the worst rule first."""
    blocking = [judgement for judgement in judgements if judgement.is_blocking]
    if not blocking:
        return "The policy has no blocking rule for what was compared."
    if status == "pass":
        return f"All {len(blocking)} blocking rules passed."
    concerned = [judgement for judgement in blocking if judgement.status == status]
    worst = min(
        concerned,
        key=lambda judgement: judgement.effect.effect if judgement.effect.effect is not None else 0.0,
    )
    word = "failed" if status == "fail" else "could not be decided"
    return f"{len(concerned)} of {len(blocking)} blocking rules {word}; {worst.title}: {worst.reason}"
