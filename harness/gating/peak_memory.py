"""Peak memory: one number a run, compared as it is."""

from __future__ import annotations

from collections.abc import Sequence

from harness.comparison import Effect, Slice
from harness.gating.absolute import bound_of
from harness.gating.derived import PEAK_MEMORY
from harness.gating.verdict import Judgement, Status
from harness.policy import Rule
from harness.store import StoredRun


def judge_peak_memory(
    rule: Rule, baseline: Sequence[StoredRun], candidate: Sequence[StoredRun], *, unfit: str | None
) -> Judgement:
    """Whether the candidate's runs needed more memory than the rule allows; of several runs the largest counts.

    Args:
        rule: With a margin over the baseline, or a ceiling.
        baseline: The baseline's runs.
        candidate: The candidate's runs.
        unfit: Why the two sides' numbers must not be compared; None where they may.
    """
    before, after = (_largest(runs) for runs in (baseline, candidate))
    effect = Effect(
        "run", PEAK_MEMORY, Slice(), "lower", n=len(candidate), failed=0, n_scored=int(after is not None),
        baseline=None if rule.is_absolute else before, candidate=after,
        effect=None if before is None or after is None or rule.is_absolute else before - after,
        method="one number a run, not tested",
    )  # fmt: skip
    status, reason, margin = _status(rule, before, after, unfit)
    return Judgement(rule, effect, margin, status, reason, None, None, (), None)


def _largest(runs: Sequence[StoredRun]) -> float | None:
    found = [run.manifest.environment.get(PEAK_MEMORY) for run in runs]
    numbers = [float(value) for value in found if isinstance(value, (int, float))]
    return max(numbers) if numbers and len(numbers) == len(found) else None


def _status(
    rule: Rule, before: float | None, after: float | None, unfit: str | None
) -> tuple[Status, str, float | None]:
    if after is None:
        return "inconclusive", "the candidate's run recorded no peak memory.", None
    if rule.is_absolute:
        kind, bound = bound_of(rule)
        is_met = after >= bound if kind == "floor" else after <= bound
        said = "keeps" if is_met else "is beyond"
        return ("pass" if is_met else "fail"), f"{after:.4g} bytes {said} the {kind} of {bound:.4g}.", None
    if before is None:
        return "inconclusive", "the baseline's run recorded no peak memory.", None
    if unfit is not None:
        return "inconclusive", unfit, None
    margin = rule.margin.absolute(before)
    growth = after - before
    if growth > margin:
        return "fail", f"{growth:.4g} bytes more, beyond the margin of {margin:.4g}.", margin
    return "pass", f"{growth:+.4g} bytes, within the margin of {margin:.4g}.", margin
