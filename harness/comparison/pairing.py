"""Pairing by variant id: what both sides answered, prompt and target equal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.differences import Difference, Kind, run_differences, suite_differences
from harness.comparison.noise import floor_of
from harness.comparison.sides import KEYS, Runs, Side, read_side, side
from harness.core.naming import unknown_name
from harness.core.rows import MetricFacts, SuiteRecord
from harness.stats.noise import NoiseFloor
from harness.store import StoredRun

if TYPE_CHECKING:
    import pandas as pd

_UNEQUAL: tuple[tuple[str, Kind, str], ...] = (
    (
        "prompt_id",
        "prompt",
        "the prompt differs (another few-shot draw, wording or renderer); run both again.",
    ),
    ("target_id", "target", "the gold answer differs; `harness rescore` both runs with the same suite."),
)


@dataclass(frozen=True, slots=True)
class SuitePairs:
    """The comparable variants of one suite.

    Args:
        record: The suite as the candidate's manifest names it, or the baseline's where only that ran it.
        metrics: The metrics that both sides have.
        scores: One row per variant and metric: variant_id, item_id, language, transform, family, position, dose,
            level, params, metric, baseline, candidate (means over samples and runs; NaN where missing),
            outcome_baseline, outcome_candidate, samples.
        outputs: One row per variant, by its id: the two sides' first outputs, suffixed _baseline and _candidate.
        n_baseline: Variants of the baseline's runs, comparable or not.
        n_candidate: The same of the candidate's.
        n_shared: Variants that all runs answered and that may be compared.
        seeds: Where a side has several checkpoints (training seeds): both sides' scores, indexed by variant and
            metric, one column a checkpoint; else None.
        floor: The numerical noise floor, where a checkpoint was run several times; else None.
    """

    record: SuiteRecord
    metrics: tuple[MetricFacts, ...]
    scores: pd.DataFrame
    outputs: pd.DataFrame
    n_baseline: int
    n_candidate: int
    n_shared: int
    seeds: tuple[pd.DataFrame, pd.DataFrame] | None = None
    floor: NoiseFloor | None = None

    @property
    def shared_share(self) -> float:
        """Share of all variants of either side that may be compared, 0 to 1."""
        everything = self.n_baseline + self.n_candidate - self.n_shared
        return self.n_shared / everything if everything else 0.0


@dataclass(frozen=True, slots=True)
class Pairing:
    """All suites of two sides, paired.

    Args:
        baseline: Runs of the baseline, one or more (seeds, replicates).
        candidate: Runs of the candidate.
        suites: Every suite that either side ran; one that cannot be compared has no shared variant.
        differences: What else differs between the sides; some exclude variants.
    """

    baseline: tuple[StoredRun, ...]
    candidate: tuple[StoredRun, ...]
    suites: tuple[SuitePairs, ...]
    differences: tuple[Difference, ...]

    @property
    def why_empty(self) -> str | None:
        """Why no variant may be compared; None where one may."""
        if any(pairs.n_shared for pairs in self.suites):
            return None
        sides = " and ".join(
            ", ".join(f"{run.manifest.checkpoint.name} ({run.run_id})" for run in runs)
            for runs in (self.baseline, self.candidate)
        )
        reasons = " ".join(
            f"[{found.suite}] {found.message}" for found in self.differences if found.suite is not None
        )
        return f"Nothing to compare between {sides}: no shared variant may be compared. {reasons}"


def pair_runs(
    baseline: Runs, candidate: Runs, *, suites: Collection[str] | None = None, ignore: Collection[str] = ()
) -> Pairing:
    """Pair two sides by the content of what was asked.

    Args:
        baseline: A stored run, or several of one side.
        candidate: The same of the other side.
        suites: Only these suites.
        ignore: Kinds of difference that shall be shown but not exclude items: "template", "generation", "reading".

    Raises:
        UnknownName: If a named suite was run by neither side.
        UsageError: If a side has no run, or one twice.
    """
    before, after = read_side(side(baseline)), read_side(side(candidate))
    names = _suite_names(before, after)
    for name in suites or ():
        if name not in names:
            raise unknown_name("suite in these runs", name, names)
    found = list(run_differences(before.runs, after.runs))
    paired = []
    for name in names:
        if suites is None or name in suites:
            pairs, own = _pair_suite(before, after, name, ignore=frozenset(ignore))
            paired.append(pairs)
            found.extend(own)
    return Pairing(before.runs, after.runs, tuple(paired), tuple(found))


def _suite_names(baseline: Side, candidate: Side) -> list[str]:
    """Every suite of either side, in the candidate's order."""
    runs = (*candidate.runs, *baseline.runs)
    return list(dict.fromkeys(record.name for run in runs for record in run.manifest.suites))


def _pair_suite(
    baseline: Side, candidate: Side, suite: str, *, ignore: frozenset[str]
) -> tuple[SuitePairs, list[Difference]]:
    """The comparable variants of a suite, and why others are not."""
    left, right = baseline.outputs_of(suite), candidate.outputs_of(suite)
    ids_b, ids_c = (set[str]().union(*(table.index for table in tables)) for tables in (left, right))
    shared = set.intersection(*(set(table.index) for table in (*left, *right)))
    found = _strays(suite, ids_b, ids_c, shared)
    for column, kind, why in _UNEQUAL:
        unequal = _unequal(column, [*left, *right], shared)
        if unequal:
            found.append(Difference(kind, suite, f"{len(unequal)} variants left out: {why}", len(unequal)))
        shared -= unequal
    record_b, record_c = baseline.record(suite), candidate.record(suite)
    if record_b is not None and record_c is not None:
        own = suite_differences(
            baseline.runs, candidate.runs, record_c, n_variants=len(shared), ignore=ignore
        )
        found.extend(own)
        if any(difference.excluded for difference in own):
            shared = set()
    record = record_c or record_b or _any_record(suite, baseline, candidate)
    names_b = {fact.name for fact in (record_b or record).metrics}
    pairs = SuitePairs(
        record=record,
        metrics=tuple(fact for fact in record.metrics if fact.name in names_b),
        scores=_merged(baseline.scores_of(suite, shared), candidate.scores_of(suite, shared)),
        outputs=left[0][left[0].index.isin(shared)]
        .add_suffix("_baseline")
        .join(right[0].add_suffix("_candidate")),
        n_baseline=len(ids_b),
        n_candidate=len(ids_c),
        n_shared=len(shared),
        seeds=_seeds(baseline, candidate, suite, shared),
        floor=floor_of((baseline, candidate), suite, sorted(shared)) if shared else None,
    )
    return pairs, found


def _seeds(
    baseline: Side, candidate: Side, suite: str, shared: set[str]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Scores of each training seed, where there are several of a recipe."""
    if not shared or max(len(baseline.seeds), len(candidate.seeds)) < 2:
        return None
    return baseline.seed_scores_of(suite, shared), candidate.seed_scores_of(suite, shared)


def _any_record(suite: str, *sides: Side) -> SuiteRecord:
    """The suite's record where only some runs of a side asked it."""
    return next(
        record for own in sides for run in own.runs for record in run.manifest.suites if record.name == suite
    )


def _strays(suite: str, ids_b: set[str], ids_c: set[str], shared: set[str]) -> list[Difference]:
    """Variants that not every run answered."""
    n_strays = len((ids_b | ids_c) - shared)
    if not n_strays:
        return []
    if not ids_b or not ids_c:
        name, other = ("candidate", "baseline") if ids_c else ("baseline", "candidate")
        message = f"only the {name} ran it; run it on the {other} to compare it."
    elif ids_b == ids_c:
        message = f"{n_strays} variants are not in every run of both sides; the shared ones are compared."
    else:
        message = (
            f"{len(ids_b - ids_c)} variants only in the baseline, {len(ids_c - ids_b)} only in the candidate; "
            "the shared ones are compared."
        )
    return [Difference("strays", suite, message, n_strays)]


def _unequal(column: str, outputs: list[pd.DataFrame], shared: set[str]) -> set[str]:
    """The shared variants on which the runs do not agree in a column."""
    ids = sorted(shared)
    first = outputs[0].loc[ids, column].to_numpy()
    unequal: set[str] = set()
    for table in outputs[1:]:
        differs = table.loc[ids, column].to_numpy() != first
        unequal.update(variant_id for variant_id, is_other in zip(ids, differs, strict=True) if is_other)
    return unequal


def _merged(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Both sides' scores of the same variants in one row each."""
    merged = left.rename(columns={"value": "baseline", "outcome": "outcome_baseline"}).merge(
        right[[*KEYS, "value", "outcome", "samples"]].rename(
            columns={"value": "candidate", "outcome": "outcome_candidate", "samples": "samples_candidate"}
        ),
        on=KEYS,
        validate="one_to_one",
    )
    merged["samples"] = merged[["samples", "samples_candidate"]].max(axis=1)
    return merged.drop(columns="samples_candidate")
