"""One checkpoint on suites and lm-eval tasks: resumed where it was cut off, and not run again once finished."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.cached import CachedBackend
from harness.core.digest import digest_of_ids
from harness.core.errors import MeasurementError, UsageError
from harness.core.exchange import Answer, Backend, Request
from harness.core.rows import SuiteRecord, SuiteResult
from harness.evaluation.journalled import JournalledBackend, content_id
from harness.evaluation.settings import (
    SCORING_VERSION,
    EvaluationSettings,
    Progress,
    ProgressReport,
    run_id_of,
)
from harness.evaluation.suite_result import Question, questions, suite_record, suite_result
from harness.store import (
    CheckpointRecord,
    Manifest,
    ResponseCache,
    RunHeader,
    Store,
    StoredRun,
    open_store,
    table_of,
)
from harness.suites import BuiltSuite, Suite, load_suite

if TYPE_CHECKING:
    from harness.engine import Checkpoint, LocalBackend
    from harness.lmeval import PreparedTasks

PACKAGES = ("sft-harness", "torch", "transformers", "lm-eval", "peft", "jieba", "opencc", "pypinyin")
Verifier = Callable[[Sequence[tuple[Request, Answer]]], Mapping[str, object]]
SuiteLike = Suite | BuiltSuite | str | Path


def _quiet(report: ProgressReport) -> None:
    del report


def build(suites: Sequence[SuiteLike], settings: EvaluationSettings) -> tuple[BuiltSuite, ...]:
    """Load and build what is named."""
    built = []
    for suite in suites:
        if isinstance(suite, (str, Path)):
            suite = load_suite(suite)
        if isinstance(suite, Suite):
            suite = suite.build(seed=settings.seed, limit=settings.limit, smoke=settings.smoke)
        built.append(suite)
    return tuple(built)


def _check_names(records: Sequence[SuiteRecord]) -> None:
    """A run's tables tell suites and tasks apart by name only."""
    if not records:
        raise UsageError("Nothing to run: name a suite (--suite) or an lm-eval task (--task).")
    names = [record.name for record in records]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"'{name}' is asked for {names.count(name)} times; name each suite or task once."
            )


def evaluate(
    checkpoint: Checkpoint,
    suites: Sequence[SuiteLike] | SuiteLike = (),
    *,
    store: Store | str | Path,
    tasks: PreparedTasks | None = None,
    settings: EvaluationSettings | None = None,
    progress: Progress = _quiet,
    lineage: Mapping[str, Any] | None = None,
    cache: ResponseCache | None = None,
) -> StoredRun:
    """Run a checkpoint on suites and tasks and store what came back.

    Args:
        checkpoint: From `open_checkpoint`.
        suites: Suites, or names or folders of suites.
        store: Where the run is kept.
        tasks: lm-eval tasks, from `harness.lmeval.prepare_tasks`.
        settings: What is asked for; a run with equal settings, suites and checkpoint is not run again.
        progress: Called after every pack.
        lineage: What the run descends from, kept in the manifest.
        cache: Answers of earlier runs, which are not asked again, and where this run's are kept. Not used for a
            checkpoint that runs code of its own, since no digest covers that.

    Raises:
        UsageError: If there is nothing to run.
        PromptTooLong: If a prompt does not fit and the settings say fail.
    """
    from harness.engine import LocalBackend

    settings = settings or EvaluationSettings()
    local = LocalBackend(
        checkpoint,
        batch_tokens=settings.batch_tokens,
        too_long=settings.too_long,
        scoring=settings.scoring,
    )
    backend: Backend = local
    if cache is not None and not checkpoint.may_run_code:
        backend = remembering(local, cache, settings)
    named = [suites] if isinstance(suites, (str, Path, Suite, BuiltSuite)) else list(suites)
    return evaluate_with(
        backend,
        checkpoint_record(checkpoint),
        build(named, settings),
        store=store if isinstance(store, Store) else open_store(store, create=True),
        tasks=tasks,
        settings=settings,
        progress=progress,
        lineage=lineage,
        verifier=partial(_verified, checkpoint, settings) if settings.verify else None,
    )


def _verified(
    checkpoint: Checkpoint, settings: EvaluationSettings, answered: Sequence[tuple[Request, Answer]]
) -> Mapping[str, object]:
    from harness.engine.verification import verified

    return verified(
        checkpoint, answered, count=settings.verify, seed=settings.seed, too_long=settings.too_long
    ).to_json()


def remembering(local: LocalBackend, cache: ResponseCache, settings: EvaluationSettings) -> CachedBackend:
    """A checkpoint's backend with a cache before it; a replicate is a measurement of its own."""
    from harness.engine.answering import answering_identity, asked_content

    identity = answering_identity(local.checkpoint, too_long=local.too_long, scoring=local.scoring)
    own = {"scoring_version": SCORING_VERSION, "replicate": settings.replicate}
    return CachedBackend(
        local, cache, identity=identity | own, content=partial(asked_content, local.checkpoint)
    )


def evaluate_with(
    backend: Backend,
    identity: CheckpointRecord,
    suites: tuple[BuiltSuite, ...],
    *,
    store: Store,
    tasks: PreparedTasks | None = None,
    settings: EvaluationSettings,
    progress: Progress = _quiet,
    lineage: Mapping[str, Any] | None = None,
    verifier: Verifier | None = None,
) -> StoredRun:
    """`evaluate` on any backend.

    Args:
        backend: What answers.
        identity: The checkpoint's record for the manifest.
        suites: Built suites.
        store: Where the run is kept.
        tasks: lm-eval tasks.
        settings: What is asked for.
        progress: Called after every pack.
        lineage: What the run descends from.
        verifier: Checks the answers before the run is stored, and says what it found, for the manifest.
    """
    records = [suite_record(built) for built in suites] + ([] if tasks is None else list(tasks.records))
    _check_names(records)
    hashed = settings.hashed() | answering_settings(backend)
    run_id = run_id_of(identity.digest, records, hashed)
    if store.has(run_id):
        return store.run(run_id)
    asked = [questions(built, seed=settings.seed) for built in suites]
    total = sum(len(part) for part in asked) + (0 if tasks is None else tasks.n_requests)
    started = time.monotonic()
    asked_ids = [content_id(question.request) for part in asked for question in part]
    plan = digest_of_ids("plan/1", [f"batch of {settings.batch_tokens} tokens", *asked_ids])
    extra = {"checkpoint": identity.digest, "settings": hashed, "command": settings.command}
    header = RunHeader(run_id, plan, extra)
    cached = backend if isinstance(backend, CachedBackend) else None
    if cached is not None:
        cached.begin(store.url, run_id)
    with closing(store.begin(header)) as writer:
        journalled = JournalledBackend(
            backend, writer, on_answers=lambda done: progress(ProgressReport(done, total))
        )
        results = _results(journalled, suites, asked, tasks, replicate=settings.replicate)
        require_measured(results)
        checked = {} if verifier is None else {"verification": dict(verifier(journalled.answered))}
        n_cached = 0 if cached is None else cached.hits
        n_asked = journalled.asked - n_cached
        manifest = Manifest(
            run_id=run_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            checkpoint=identity,
            suites=tuple(result.record for result in results),
            settings=hashed,
            environment=_environment(backend, is_whole=n_asked == total) | checked,
            counts=counts(results)
            | {
                "requests": total,
                "asked": n_asked,
                "resumed": journalled.resumed,
                "cached": n_cached,
            },
            timings={"seconds": round(time.monotonic() - started, 3)},
            lineage=dict(lineage or {}),
        )
        return finish(store, writer, manifest, results)


def require_measured(results: Sequence[SuiteResult]) -> None:
    """Refuses a run without a single answer: it would say nothing, and the same command could not try again.

    Raises:
        MeasurementError: If every answer failed, with how many and the first reasons.
    """
    outputs = [row for result in results for row in result.outputs]
    if any(row.outcome != "failed" for row in outputs):
        return
    reasons = list(dict.fromkeys(str(row.reason) for row in outputs))
    raise MeasurementError(
        f"Nothing could be measured: all {len(outputs)} answers failed ({'; '.join(reasons[:3])}). "
        "Mend the cause and give the same command again."
    )


def answering_settings(backend: Backend) -> dict[str, Any]:
    """What a backend's description adds to a run's identity: dtype, and the template as it is applied.

    The device and the batch shape are recorded in the environment, not hashed.
    """
    described = backend.describe()
    return {name: described.get(name) for name in ("dtype", "template")}


def _results(
    backend: JournalledBackend,
    suites: tuple[BuiltSuite, ...],
    asked: list[tuple[Question, ...]],
    tasks: PreparedTasks | None,
    *,
    replicate: int,
) -> list[SuiteResult]:
    """All suites' requests in one call, so that the engine may share work across them; then the tasks."""
    requests = [question.request for part in asked for question in part]
    answers = dict(backend.answer(requests))
    results = [
        suite_result(built, part, answers, replicate=replicate)
        for built, part in zip(suites, asked, strict=True)
    ]
    if tasks is not None:
        results.extend(tasks.run(backend, replicate=replicate))
    return results


def checkpoint_record(checkpoint: Checkpoint) -> CheckpointRecord:
    """The checkpoint as the manifest names it."""
    return CheckpointRecord(**asdict(checkpoint.identity))


def counts(results: Sequence[SuiteResult]) -> dict[str, int]:
    """How many outputs there are of each outcome, and with an exact tie for the likeliest option."""
    rows = [row for result in results for row in result.outputs]
    outcomes = [row.outcome for row in rows]
    named = {outcome: outcomes.count(outcome) for outcome in ("scored", "abstained", "unparsed", "failed")}
    ties = sum(_is_tied(row.option_logprobs) for row in rows)
    return {"outputs": len(outcomes), **named, "ties": ties}


def _is_tied(option_logprobs: Sequence[float] | None) -> bool:
    values = sorted(option_logprobs or (), reverse=True)
    return len(values) > 1 and values[0] == values[1]


def finish(store: Store, writer: Any, manifest: Manifest, results: Sequence[SuiteResult]) -> StoredRun:
    """Write items, tables and, last, the manifest."""
    for result in results:
        store.put_items(result.record.digest, result.items)
    stored: StoredRun = writer.finish(
        manifest,
        scores=table_of([row for result in results for row in result.scores], "scores"),
        outputs=table_of([row for result in results for row in result.outputs], "outputs"),
        errors=table_of([row for result in results for row in result.errors], "errors"),
    )
    return stored


def _environment(backend: Backend, *, is_whole: bool) -> dict[str, Any]:
    """What answered, and where; the peak of memory only where every answer was made now."""
    described = dict(backend.describe())
    peak = described.pop("peak_memory_bytes", None)
    return {
        "backend": described,
        "peak_memory_bytes": peak if is_whole else None,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "versions": {name: found for name in PACKAGES if (found := _version(name)) is not None},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
