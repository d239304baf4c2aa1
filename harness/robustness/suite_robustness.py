"""A run's robustness, suite by suite: each family of transforms, each transform, and the measures that apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.core.naming import unknown_name
from harness.core.rows import SuiteRecord
from harness.robustness import stepwise
from harness.robustness.answers import Answered, answers_of, scoring_metric
from harness.robustness.churn import churn
from harness.robustness.measured import Line, Measure, agreement, changed, form, losses, whole_items
from harness.store import StoredRun

MEASURES: tuple[Measure, ...] = (
    losses,
    whole_items,
    agreement,
    form,
    stepwise.between_steps,
    stepwise.options,
    stepwise.positions,
    stepwise.lengths,
    stepwise.label_maps,
)
# Of several transforms taken together only what needs no common steps.
POOLED: tuple[Measure, ...] = (losses, whole_items, agreement, form)


@dataclass(frozen=True, slots=True)
class Group:
    """What was measured on one family of transforms, or on one transform of it.

    Attributes:
        transform: Its name; None for the whole family.
        n_variants: Variants in it.
        n_items: Source items they come from.
        lines: The measures that apply.
    """

    suite: str
    metric: str
    family: str
    transform: str | None
    n_variants: int
    n_items: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class RunRobustness:
    """All groups of a run.

    Attributes:
        left_out: (suite, why nothing was measured there).
    """

    run_id: str
    checkpoint: str
    groups: tuple[Group, ...]
    left_out: tuple[tuple[str, str], ...]


def run_robustness(
    run: StoredRun,
    *,
    repeats: Sequence[StoredRun] = (),
    suites: Sequence[str] = (),
    language: str | None = None,
) -> RunRobustness:
    """Measure a finished run.

    Args:
        run: The run.
        repeats: Further runs of the same checkpoint on the same suites, for the noise floor of flips.
        suites: Only these; none named means all.
        language: Only variants in this language.

    Raises:
        UnknownName: For a suite that the run does not have.
        UsageError: If a repeat is of another checkpoint, or no suite has a variant besides its sources.
    """
    records = {record.name: record for record in run.manifest.suites}
    for name in suites:
        if name not in records:
            raise unknown_name("suite", name, records)
    for repeat in repeats:
        _check_repeat(run, repeat)
    groups: list[Group] = []
    left_out: list[tuple[str, str]] = []
    for name in suites or tuple(records):
        found, reason = _suite_groups(run, records[name], repeats, language)
        groups += found
        if reason is not None:
            left_out.append((name, reason))
    if not groups:
        told = "; ".join(f"{name}: {reason}" for name, reason in left_out)
        raise UsageError(
            f"Run {run.run_id} has nothing to measure robustness on: {told}. Ask a suite with variants, "
            "e.g. harness run CHECKPOINT --suite noisy-input."
        )
    return RunRobustness(run.run_id, run.manifest.checkpoint.name, tuple(groups), tuple(left_out))


def _check_repeat(run: StoredRun, repeat: StoredRun) -> None:
    if repeat.run_id == run.run_id:
        raise UsageError(
            f"Run {run.run_id} cannot be its own repeat; make one: harness run ... --replicate 1."
        )
    if repeat.manifest.checkpoint.digest != run.manifest.checkpoint.digest:
        raise UsageError(
            f"Run {repeat.run_id} is of checkpoint '{repeat.manifest.checkpoint.name}', not of "
            f"'{run.manifest.checkpoint.name}': it is no repeat. For two checkpoints: harness compare."
        )


def _suite_groups(
    run: StoredRun, record: SuiteRecord, repeats: Sequence[StoredRun], language: str | None
) -> tuple[list[Group], str | None]:
    metric = scoring_metric(record)
    if metric is None:
        return [], "no metric gives each answer a value in 0 to 1"
    answered = answers_of(run, record, metric)
    if language is not None:
        answered = tuple(one for one in answered if one.item.language == language)
    sources = {one.item_id: one for one in answered if one.is_source}
    variants = [one for one in answered if not one.is_source]
    if not variants:
        return [], "no variants besides the sources" + ("" if language is None else f" in '{language}'")
    again = [_by_variant(repeat, record) for repeat in repeats]
    groups = []
    for family, transform, own in _grouped(variants):
        measures = POOLED if transform is None else MEASURES
        lines = [line for measure in measures for line in measure(own, sources)]
        lines += _churn(own, sources, again)
        n_items = len({one.item_id for one in own})
        groups.append(Group(record.name, metric.name, family, transform, len(own), n_items, tuple(lines)))
    return groups, None


def _grouped(variants: Sequence[Answered]) -> Iterator[tuple[str, str | None, list[Answered]]]:
    """Each family with more than one transform as a whole, then each of its transforms; in order of name."""
    for family in sorted({one.family for one in variants}):
        own = [one for one in variants if one.family == family]
        transforms = sorted({one.transform for one in own})
        if len(transforms) > 1:
            yield family, None, own
        for transform in transforms:
            yield family, transform, [one for one in own if one.transform == transform]


def _by_variant(repeat: StoredRun, record: SuiteRecord) -> Mapping[str, Answered]:
    metric = scoring_metric(record)
    if metric is None or record.name not in {one.name for one in repeat.manifest.suites}:
        raise UsageError(
            f"Run {repeat.run_id} did not ask suite '{record.name}'; it cannot be a repeat of it."
        )
    return {one.variant_id: one for one in answers_of(repeat, record, metric)}


def _churn(
    variants: Sequence[Answered], sources: Mapping[str, Answered], again: Sequence[Mapping[str, Answered]]
) -> Iterator[Line]:
    """Flips against the source beside those of the source asked again."""
    if not again:
        return
    own = [
        one
        for one in changed(variants, sources)
        if one.gold == sources[one.item_id].gold
        and all(sources[one.item_id].variant_id in table for table in again)
    ]
    if not own:
        return
    asked = [sources[one.item_id] for one in own]
    repeated = [[table[source.variant_id] for source in asked] for table in again]
    missing = [
        any(answer.outcome == "failed" for answer in (one, source, *(table[place] for table in repeated)))
        for place, (one, source) in enumerate(zip(own, asked, strict=True))
    ]
    found = churn(
        [source.content for source in asked],
        [one.content for one in own],
        [one.item_id for one in own],
        repeats=[[answer.content for answer in table] for table in repeated],
        missing=missing,
    )
    yield Line("rerun_churn", found.floor, note=f"{len(again) + 1} runs of the sources")
    yield Line("flips_above_rerun", found.excess)
