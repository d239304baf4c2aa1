"""The gate: compare, test every rule of the policy, and give one verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from harness.comparison import compare
from harness.comparison.compare import Runs, side
from harness.core.errors import EmptyComparison, UsageError
from harness.gating.judge import judge
from harness.gating.members import members
from harness.gating.verdict import Judgement, Status, Verdict
from harness.policy import Policy, default_policy, load_policy
from harness.store import Store, open_store

if TYPE_CHECKING:
    import pandas as pd


def gate(
    *,
    candidate: Runs | str,
    baseline: Runs | str | None = None,
    policy: Policy | str | Path | None = None,
    store: Store | str | Path | None = None,
    suite: str | None = None,
) -> Verdict:
    """Judge a candidate against a baseline.

    Args:
        candidate: A stored run (or several: seeds, replicates), or a run's id or name in `store`.
        baseline: The same of the baseline; None takes the policy's.
        policy: A policy or its file; None judges every suite's primary metric at margin .05, also per transform.
        store: Where ids and names are looked up.
        suite: Only this suite.

    Returns:
        The verdict. Without anything to compare it is inconclusive, never a pass.

    Raises:
        UsageError: Without a baseline, or with a name and no store.
        PolicyError: If a rule cannot be applied to what was compared.
    """
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
    before, after = side(_run(chosen, opened)), side(_run(candidate, opened))
    named = tuple((run.run_id, run.manifest.checkpoint.name) for run in before)
    under_test = tuple((run.run_id, run.manifest.checkpoint.name) for run in after)
    blank = Verdict(
        "inconclusive", "", (), (), named, under_test, policy.alpha, policy.digest, policy.path,
        policy.inconclusive == "warn",
    )  # fmt: skip
    from dataclasses import replace

    try:
        found = compare(before, after, suites=None if suite is None else [suite], details=False)
    except EmptyComparison as error:
        return replace(blank, reason=str(error))
    tags = {pairs.record.name: _tags(after[0], pairs.record.name) for pairs in found.suites}
    judgements = tuple(judge(policy, members(policy, found.suites), tags))
    status = overall(judgements)
    return replace(
        blank,
        status=status,
        reason=sentence(status, judgements),
        judgements=judgements,
        differences=found.differences,
    )


def _run(chosen: Runs | str, store: Store | None) -> Runs:
    if not isinstance(chosen, str):
        return chosen
    if store is None:
        raise UsageError(f"Run '{chosen}' is named by text: pass the store it is in (--store).")
    return store.run(chosen)


def _tags(run: object, suite: str) -> pd.Series:
    """variant_id -> tags of one suite's variants."""
    items = run.variants(suite).set_index("variant_id")  # type: ignore[attr-defined]
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
