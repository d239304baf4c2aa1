"""Score stored outputs again: new gold, metrics or reading, no checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UsageError
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Chosen,
    Generated,
    Generation,
    OptionScore,
    TextScored,
)
from harness.core.naming import suggestion
from harness.core.rows import SuiteRecord, SuiteResult
from harness.evaluation.evaluate import counts, finish
from harness.evaluation.settings import run_id_of
from harness.evaluation.suite_result import Question, asking_json, prompt_id_of, questions, suite_result
from harness.metrics import specification
from harness.store import Manifest, RunHeader, Store, StoredRun
from harness.suites import Suite, load_suite

if TYPE_CHECKING:
    import pandas as pd


def rescore(
    run: StoredRun,
    *,
    store: Store,
    suites: Sequence[Suite | str | Path] = (),
    metrics: Sequence[str] = (),
) -> StoredRun:
    """A new run with the old outputs, read and scored as the suites say now.

    Args:
        run: A finished run.
        store: Where the new run is kept.
        suites: Suites with new gold, metrics or reading; suites of the run that are not named here are loaded by
            their name where they ship with the harness.
        metrics: Metrics to add to every suite's own.

    Raises:
        UsageError: If a suite of the run cannot be found, or asks other prompts than those that were answered.
    """
    given = {suite.name: suite for suite in (_loaded(suite) for suite in suites)}
    own = [record.name for record in run.manifest.suites]
    for record in run.manifest.suites:
        if record.source != "suite":
            raise UsageError(
                f"'{record.name}' of run {run.run_id} was scored by the tool it came from; rescore runs of own "
                "suites only, or run the task again."
            )
    for name in given:
        if name not in own:
            raise UsageError(
                f"Run {run.run_id} did not ask suite '{name}'.{suggestion(name, own)} It has: {', '.join(own)}."
            )
    settings = dict(run.manifest.settings)
    outputs = dict(iter(run.outputs().groupby("suite")))
    results = [
        _rescored(run, record, _with_metrics(given.get(record.name), record, metrics), outputs[record.name])
        for record in run.manifest.suites
    ]
    records = [result.record for result in results]
    run_id = run_id_of(run.manifest.checkpoint.digest, records, settings)
    if store.has(run_id):
        return store.run(run_id)
    manifest = Manifest(
        run_id=run_id,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        checkpoint=run.manifest.checkpoint,
        suites=tuple(records),
        settings=settings,
        environment=run.manifest.environment,
        counts={**run.manifest.counts, **counts(results), "asked": 0},
        timings={},
        lineage={"rescored_from": run.run_id},
    )
    header = RunHeader(run_id, run_id, {"rescored_from": run.run_id})
    with closing(store.begin(header)) as writer:
        return finish(store, writer, manifest, results)


def _loaded(suite: Suite | str | Path) -> Suite:
    return suite if isinstance(suite, Suite) else load_suite(suite)


def _with_metrics(suite: Suite | None, record: SuiteRecord, metrics: Sequence[str]) -> Suite:
    """The suite as it is now, with more metrics."""
    suite = suite or load_suite(record.name)
    for name in metrics:
        if suite.asking.task not in specification(name).shapes:
            raise UsageError(
                f"Metric '{name}' cannot score suite '{suite.name}', whose task is {suite.asking.task}."
            )
    return replace(suite, metrics=tuple(dict.fromkeys((*suite.metrics, *metrics))))


def _rescored(run: StoredRun, record: SuiteRecord, suite: Suite, outputs: pd.DataFrame) -> SuiteResult:
    _check_same_asking(run, record, suite)
    settings = run.manifest.settings
    built = suite.build(seed=settings["seed"], limit=settings["limit"], smoke=settings["smoke"])
    asked = questions(built, seed=settings["seed"])
    _check_same_prompts(run, record, asked, outputs)
    answers = stored_answers(outputs)
    matched = {question.request.request_id: answers[question.variant.variant_id] for question in asked}
    return suite_result(built, asked, matched, replicate=settings["replicate"])


def _check_same_asking(run: StoredRun, record: SuiteRecord, suite: Suite) -> None:
    """What was generated, and how often, cannot be changed after the fact; neither can texts become letters."""
    now = asking_json(suite.asking)
    changed = [key for key in ("task", "generation", "samples") if now[key] != record.asking[key]]
    before = record.asking["read"]
    assert isinstance(before, dict)
    if before["by"] != suite.asking.reading.by:
        changed.append("read.by")
    if changed:
        raise UsageError(
            f"Suite '{record.name}' now has another {' and '.join(changed)} than run {run.run_id} was asked with. "
            "Rescoring changes gold, metrics and normalisation only; run the suite again."
        )


def _check_same_prompts(
    run: StoredRun, record: SuiteRecord, asked: tuple[Question, ...], outputs: pd.DataFrame
) -> None:
    """Every variant must have been answered, with the very prompt that the suite asks now."""
    first = outputs[outputs["sample"] == 0]
    stored = dict(zip(first["variant_id"], first["prompt_id"], strict=True))
    changed = [
        question.variant.item_id
        for question in asked
        if stored.get(question.variant.variant_id) != prompt_id_of(question.request)
    ]
    if changed:
        raise UsageError(
            f"Suite '{record.name}' now asks {len(changed)} prompts that run {run.run_id} did not answer "
            f"(first item {changed[0]}). Rescoring changes gold, metrics and normalisation only; run the suite again."
        )


def stored_answers(outputs: pd.DataFrame) -> dict[str, Answer]:
    """variant_id -> the answer that the outputs table keeps, samples together."""
    answers: dict[str, Answer] = {}
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in outputs.sort_values("sample", kind="stable").to_dict("records"):
        grouped.setdefault(row["variant_id"], []).append(row)
    for variant_id, rows in grouped.items():
        first = rows[0]
        if first["outcome"] == "failed":
            kind, _, message = str(first["reason"]).partition(": ")
            answers[variant_id] = BackendFailure(kind, message)
        elif first["kind"] == "choose":
            answers[variant_id] = Chosen(
                tuple(
                    OptionScore(float(logprob), int(tokens), bool(greedy))
                    for logprob, tokens, greedy in zip(
                        first["option_logprobs"], first["option_tokens"], first["option_greedy"], strict=True
                    )
                ),
                prompt_tokens=_whole(first["prompt_tokens"]) or 0,
                seconds=_number(first["seconds"]),
            )
        elif first["kind"] == "score":
            answers[variant_id] = TextScored(
                float(first["logprob_nats"]), int(first["tokens"]), _number(first["seconds"])
            )
        else:
            answers[variant_id] = Generated(
                tuple(
                    Generation(
                        row["text"] or "", row["finish_reason"] or "unknown", _whole(row["tokens"]) or 0
                    )
                    for row in rows
                ),
                prompt_tokens=_whole(first["prompt_tokens"]) or 0,
                seconds=_number(first["seconds"]),
            )
    return answers


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None or value != value else int(value)
