"""Pairing by variant id, and every reason why a pair may not be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.core.rows import MetricFacts, SuiteRecord
from harness.store import StoredRun

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["strays", "prompt", "target", "template", "generation", "reading", "version", "note"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something besides the checkpoint that differs between two sides.

    Args:
        kind: What differs.
        suite: The suite it concerns, or None for all.
        message: For people, with the remedy.
        excluded: Variants left out of the comparison because of it.
    """

    kind: Kind
    suite: str | None
    message: str
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class SuitePairs:
    """The comparable variants of one suite.

    Args:
        record: The suite as the candidate's manifest names it.
        scores: One row per variant and metric: variant_id, item_id, language, transform, family, position, dose,
            level, params, metric, baseline, candidate (means over samples and runs; None where missing),
            baseline_outcome, candidate_outcome, samples.
        outputs: One row per variant: the two sides' first outputs, suffixed _baseline and _candidate.
        n_baseline: Variants of the baseline's run, comparable or not.
        n_candidate: The same of the candidate's.
        n_shared: Variants that both ran and that may be compared.
    """

    record: SuiteRecord
    scores: pd.DataFrame
    outputs: pd.DataFrame
    n_baseline: int
    n_candidate: int
    n_shared: int

    @property
    def metrics(self) -> tuple[MetricFacts, ...]:
        """The suite's metrics."""
        return self.record.metrics

    @property
    def shared_share(self) -> float:
        """Share of all variants of either side that may be compared, 0 to 1."""
        everything = self.n_baseline + self.n_candidate - self.n_shared
        return self.n_shared / everything if everything else 0.0


def _suite(run: StoredRun, name: str) -> SuiteRecord:
    return next(record for record in run.manifest.suites if record.name == name)


def shared_suites(baseline: Sequence[StoredRun], candidate: Sequence[StoredRun]) -> list[str]:
    """Names of the suites that every run of both sides has, in the candidate's order."""
    sets = [{record.name for record in run.manifest.suites} for run in (*baseline, *candidate)]
    common = set.intersection(*sets)
    return [record.name for record in candidate[0].manifest.suites if record.name in common]


def run_differences(baseline: Sequence[StoredRun], candidate: Sequence[StoredRun]) -> list[Difference]:
    """What differs between the runs as wholes: suites run on one side only, dtype, library versions."""
    found: list[Difference] = []
    names_b = {record.name for run in baseline for record in run.manifest.suites}
    names_c = {record.name for run in candidate for record in run.manifest.suites}
    for name in sorted(names_b ^ names_c):
        side, other = ("baseline", "candidate") if name in names_b else ("candidate", "baseline")
        found.append(
            Difference("strays", name, f"only the {side} ran it; run it on the {other} to compare it.")
        )
    first, second = baseline[0].manifest, candidate[0].manifest
    for key in ("dtype", "seed", "limit", "smoke", "num_fewshot", "renderer_version", "scoring_version"):
        one, two = first.settings.get(key), second.settings.get(key)
        if one != two:
            found.append(
                Difference("note", None, f"{key} differs: {one} in the baseline, {two} in the candidate.")
            )
    versions_b = first.environment.get("versions", {})
    versions_c = second.environment.get("versions", {})
    for package in sorted(set(versions_b) | set(versions_c)):
        if versions_b.get(package) != versions_c.get(package):
            found.append(
                Difference(
                    "version",
                    None,
                    f"{package} differs: {versions_b.get(package)} in the baseline, "
                    f"{versions_c.get(package)} in the candidate.",
                )
            )
    return found


def _side(runs: Sequence[StoredRun], suite: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean score per variant and metric over samples and runs, and the first run's outputs.

    A value missing in any sample or run leaves the mean over the others; all missing leaves None.
    """
    import pandas as pd

    scores = pd.concat([run.scores() for run in runs], ignore_index=True)
    scores = scores[scores["suite"] == suite]
    keys = ["variant_id", "metric"]
    facts = ["item_id", "language", "transform", "family", "params", "position", "dose", "level", "target_id"]
    grouped = scores.groupby(keys, sort=True, dropna=False)
    table = grouped[facts].first()
    table["value"] = grouped["value"].mean()
    table["samples"] = grouped.size()
    table["outcome"] = grouped["outcome"].agg(_joint_outcome)
    outputs = runs[0].outputs()
    outputs = outputs[(outputs["suite"] == suite) & (outputs["sample"] == 0)].set_index("variant_id")
    return table.reset_index(), outputs


def _joint_outcome(outcomes: pd.Series) -> str:
    """The one outcome of several samples: scored if any is, else the first."""
    values = list(outcomes)
    return "scored" if "scored" in values else str(values[0])


def pair_suite(
    baseline: Sequence[StoredRun],
    candidate: Sequence[StoredRun],
    suite: str,
    *,
    ignore: frozenset[str] = frozenset(),
) -> tuple[SuitePairs, list[Difference]]:
    """The comparable variants of a suite, and why others are not.

    Args:
        baseline: Runs of one side (seeds or replicates), at least one.
        candidate: Runs of the other.
        suite: A suite that all of them ran.
        ignore: Kinds of difference that shall not exclude items ("template", "generation", "reading").
    """
    left, left_outputs = _side(baseline, suite)
    right, right_outputs = _side(candidate, suite)
    record_b, record_c = _suite(baseline[0], suite), _suite(candidate[0], suite)
    found = _suite_differences(baseline[0], candidate[0], record_b, record_c, ignore=ignore)
    ids_b, ids_c = set(left["variant_id"]), set(right["variant_id"])
    shared = ids_b & ids_c
    strays = len(ids_b ^ ids_c)
    if strays:
        found.append(
            Difference(
                "strays",
                suite,
                f"{len(ids_b - ids_c)} variants only in the baseline, {len(ids_c - ids_b)} only in the candidate; "
                "the shared ones are compared.",
                strays,
            )
        )
    shared = _same_prompts(shared, left_outputs, right_outputs, suite, found)
    if any(difference.excluded < 0 for difference in found):
        found = [_with_count(difference, len(shared)) for difference in found]
        shared = set()
    keys = ["variant_id", "metric"]
    facts = ["item_id", "language", "transform", "family", "params", "position", "dose", "level"]
    merged = left[left["variant_id"].isin(shared)].merge(
        right[right["variant_id"].isin(shared)][[*keys, "value", "outcome", "samples"]],
        on=keys,
        suffixes=("_baseline", "_candidate"),
        validate="one_to_one",
    )
    scores = merged[
        [*keys, *facts, "value_baseline", "value_candidate", "outcome_baseline", "outcome_candidate"]
    ].rename(columns={"value_baseline": "baseline", "value_candidate": "candidate"})
    scores["samples"] = merged[["samples_baseline", "samples_candidate"]].max(axis=1)
    outputs = left_outputs.loc[left_outputs.index.isin(shared)].join(
        right_outputs, lsuffix="_baseline", rsuffix="_candidate"
    )
    pairs = SuitePairs(record_c, scores, outputs, len(ids_b), len(ids_c), len(shared))
    return pairs, found


def _with_count(difference: Difference, count: int) -> Difference:
    from dataclasses import replace

    return replace(difference, excluded=count) if difference.excluded < 0 else difference


def _same_prompts(
    shared: set[str], left: pd.DataFrame, right: pd.DataFrame, suite: str, found: list[Difference]
) -> set[str]:
    """The shared variants whose prompt and target are equal on both sides."""
    ids = sorted(shared)
    kept = set(ids)
    kinds: tuple[tuple[str, Kind, str], ...] = (
        (
            "prompt_id",
            "prompt",
            "the prompt differs (another few-shot draw, wording or renderer); run both again.",
        ),
        ("target_id", "target", "the gold answer differs; `harness rescore` both runs with the same suite."),
    )
    for column, kind, why in kinds:
        differs = left.loc[ids, column].to_numpy() != right.loc[ids, column].to_numpy()
        excluded = {variant_id for variant_id, is_other in zip(ids, differs, strict=True) if is_other}
        if excluded:
            found.append(Difference(kind, suite, f"{len(excluded)} variants left out: {why}", len(excluded)))
        kept -= excluded
    return kept


def _suite_differences(
    baseline: StoredRun,
    candidate: StoredRun,
    record_b: SuiteRecord,
    record_c: SuiteRecord,
    *,
    ignore: frozenset[str],
) -> list[Difference]:
    """Differences that make a whole suite incomparable; `excluded` is -1 until the count is known."""
    suite = record_c.name
    found: list[Difference] = []
    one, two = baseline.manifest.settings.get("template"), candidate.manifest.settings.get("template")
    if one != two and record_c.source == "suite":
        found.append(
            Difference(
                "template",
                suite,
                "the chat template differs or is applied on one side only; run both with the same "
                "(--chat-template/--no-chat-template).",
                0 if "template" in ignore else -1,
            )
        )
    for key, kind in (("generation", "generation"), ("read", "reading"), ("samples", "generation")):
        if record_b.asking.get(key) != record_c.asking.get(key):
            found.append(
                Difference(
                    kind,  # type: ignore[arg-type]
                    suite,
                    f"{key} differs: {record_b.asking.get(key)} in the baseline, {record_c.asking.get(key)} in the "
                    "candidate; run or rescore both alike.",
                    0 if kind in ignore else -1,
                )
            )
    return found
