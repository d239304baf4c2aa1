"""Runs from lm-eval's logs: two old outputs can be compared without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.core.digest import digest
from harness.core.errors import DataError
from harness.core.rows import SuiteResult
from harness.lmeval.answered import TaskFacts, suite_result
from harness.lmeval.item_values import MetricRules
from harness.lmeval.log_files import RERUN, ResultsFile, results_files, sha256_of
from harness.lmeval.log_samples import TaskSamples, read_samples
from harness.lmeval.requests import generation_json, generation_settings

# The aggregation of lm-eval's own metrics where a task names none; every other metric is averaged.
DEFAULT_AGGREGATIONS = {
    "f1": "f1",
    "mcc": "matthews_corrcoef",
    "perplexity": "perplexity",
    "word_perplexity": "weighted_perplexity",
    "byte_perplexity": "weighted_perplexity",
    "bits_per_byte": "bits_per_byte",
    "brier_score": "brier_score",
    "bleu": "bleu",
    "chrf": "chrf",
    "chrf++": "chrf++",
    "ter": "ter",
    "bypass": "bypass",
}
PROVENANCE = "as named in the log, weights unknown"


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """The model as a log names it; the weights themselves are unknown.

    Args:
        digest: Of name, arguments and revision as recorded.
        name: What the log calls it.
        arguments: Canonical text of the arguments it was opened with.
        sha: Its revision, where recorded (it is empty for local folders).
        n_parameters: Where recorded.
        dtype: Where recorded.
        provenance: What may be said of its identity.
    """

    digest: str
    name: str
    arguments: str
    sha: str | None
    n_parameters: int | None
    dtype: str | None
    provenance: str = PROVENANCE


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """A log as a run that was never run here.

    Args:
        results: The rows of every task.
        model: Whose answers they are.
        settings: What was recorded of how it was run, and the digest of the files; part of the run's identity.
        created: When lm-eval ran, ISO 8601, UTC.
        files: SHA-256 of every file read, by its path in the folder.
        notes: For people: which of several outputs was taken, what was left out.
        run_id: Of model, suites and settings.
    """

    results: tuple[SuiteResult, ...]
    model: LoggedModel
    settings: dict[str, Any]
    created: str
    files: dict[str, str]
    notes: tuple[str, ...]
    run_id: str


def import_logs(results_dir: Path) -> ImportedRun:
    """Reads what `lm_eval --log_samples --output_path` wrote.

    Where a folder holds several outputs of one model, each task's newest is taken, and a note says so.

    Args:
        results_dir: The folder, or one results file in it to read nothing else.

    Raises:
        DataError: With file, line and field; also if the samples of a task are not there, or the folder holds
            several models.
    """
    place = Path(results_dir)
    files = results_files(place)
    model = _one_model(files, place)
    newest: dict[str, ResultsFile] = {}
    notes: list[str] = []
    for file in files:
        for task in file.tasks:
            if task in newest:
                notes.append(f"{task}: took {newest[task].path.name}, the newest; left out {file.path.name}.")
            else:
                newest[task] = file
    if not newest:
        raise DataError(f"names no task; {RERUN}", path=files[0].path, field="results")
    _refuse_missing_samples(newest)
    results = []
    for task, file in newest.items():
        result, samples = _task_result(file, task)
        results.append(result)
        if samples.duplicates:
            shown = ", ".join(str(number) for number in samples.duplicates[:10])
            notes.append(
                f"{task}: left out {len(samples.duplicates)} documents equal to earlier ones: {shown}."
            )
    root = place if place.is_dir() else place.parent
    used = {file.path for file in newest.values()} | {
        file.samples_path(task) for task, file in newest.items()
    }
    hashes = {path.relative_to(root).as_posix(): sha256_of(path) for path in sorted(used)}
    settings = _settings(next(iter(newest.values()))) | {"log": digest("log/1", sorted(hashes.values()))}
    digests = sorted(result.record.digest for result in results)
    return ImportedRun(
        results=tuple(results),
        model=model,
        settings=settings,
        created=_created(files[0]),
        files=hashes,
        notes=tuple(notes),
        run_id=digest("import/1", model.digest, digests, settings, length=16),
    )


def _refuse_missing_samples(newest: Mapping[str, ResultsFile]) -> None:
    missing = [(task, file) for task, file in newest.items() if not file.samples_path(task).is_file()]
    if missing:
        task, file = missing[0]
        several = f" (and {len(missing) - 1} more tasks)" if len(missing) > 1 else ""
        raise DataError(
            f"has figures of task '{task}'{several} but no samples: '{file.samples_path(task).name}' is not beside it; "
            f"{RERUN}",
            path=file.path,
            field=f"results.{task}",
        )


def _one_model(files: tuple[ResultsFile, ...], place: Path) -> LoggedModel:
    models: dict[str, tuple[LoggedModel, ResultsFile]] = {}
    for file in files:
        model = _model(file)
        models.setdefault(model.digest, (model, file))
    if len(models) > 1:
        shown = "; ".join(
            f"{model.name} ({model.arguments}) in {file.path}" for model, file in models.values()
        )
        raise DataError(
            f"holds logs of {len(models)} models; import one folder or one results file at a time: {shown}",
            path=place,
        )
    return next(iter(models.values()))[0]


def _model(file: ResultsFile) -> LoggedModel:
    config = file.content.get("config")
    config = config if isinstance(config, Mapping) else {}
    arguments = config.get("model_args")
    if isinstance(arguments, Mapping):
        arguments = ",".join(f"{key}={value}" for key, value in sorted(arguments.items()))
    arguments = str(arguments or "")
    name = file.content.get("model_name") or config.get("model") or file.path.parent.name
    sha = str(config.get("model_sha") or "") or None
    n_parameters = config.get("model_num_parameters")
    return LoggedModel(
        digest=digest("logged_model/1", str(name), arguments, sha),
        name=str(name),
        arguments=arguments,
        sha=sha,
        n_parameters=n_parameters if isinstance(n_parameters, int) and n_parameters > 0 else None,
        dtype=str(config["model_dtype"]) if config.get("model_dtype") else None,
    )


def _task_result(file: ResultsFile, task: str) -> tuple[SuiteResult, TaskSamples]:
    config = file.part("configs", task) or {}
    samples = read_samples(file.samples_path(task), task, config)
    listed = config.get("filter_list")
    listed = listed if isinstance(listed, list) else []
    order = [str(each.get("name")) for each in listed if isinstance(each, Mapping)]
    filters = tuple(
        sorted(samples.filters, key=lambda name: order.index(name) if name in order else len(order))
    )
    figures = file.part("results", task)
    facts = TaskFacts(
        name=task,
        version=str(file.part("versions", task)),
        output_type=samples.output_type,
        rules=_rules(file, task, config, filters),
        asking=_asking(file, task, config, samples, filters),
        source="import",
    )
    reported = {
        key: value
        for key, value in (figures.items() if isinstance(figures, Mapping) else ())
        if "," in key and "_stderr" not in key and isinstance(value, (int, float))
    }
    return (
        suite_result(facts, samples.answered, n_rejected=len(samples.duplicates), reported=reported),
        samples,
    )


def _rules(file: ResultsFile, task: str, config: Mapping[str, Any], filters: tuple[str, ...]) -> MetricRules:
    listed = config.get("metric_list")
    listed = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    better: dict[str, bool] = {}
    aggregations = dict(DEFAULT_AGGREGATIONS)
    for each in listed:
        name = str(each.get("metric"))
        if "higher_is_better" in each:
            better[name] = bool(each["higher_is_better"])
        if "aggregation" in each:
            # A function of the task's own is logged as its source.
            text = str(each["aggregation"])
            aggregations[name] = text if text.isidentifier() or text in DEFAULT_AGGREGATIONS else "custom"
    told = file.part("higher_is_better", task)
    if isinstance(told, Mapping):
        better |= {str(name): bool(value) for name, value in told.items()}
    return MetricRules(filters, aggregations, better)


def _asking(
    file: ResultsFile, task: str, config: Mapping[str, Any], samples: TaskSamples, filters: tuple[str, ...]
) -> dict[str, object]:
    generation: dict[str, object] = {}
    given = config.get("generation_kwargs")
    if samples.output_type == "generate_until" and isinstance(given, Mapping):
        generation = generation_json(generation_settings(task, given, is_logged=True))
    fewshot = config.get("fewshot_config")
    sampler = fewshot.get("sampler", "default") if isinstance(fewshot, Mapping) else "default"
    run = file.content.get("config")
    shots = file.part("n-shot", task)
    return {
        "task": samples.output_type,
        "read": {"by": "lm_eval", "filters": list(filters)},
        "generation": generation,
        "samples": int(config.get("repeats") or 1),
        "num_fewshot": int(shots if isinstance(shots, int) else config.get("num_fewshot") or 0),
        "fewshot": {
            "sampler": str(sampler),
            "seed": run.get("fewshot_seed") if isinstance(run, Mapping) else None,
        },
        "lm_eval_version": str(file.content.get("lm_eval_version") or "unknown"),
    }


def _settings(file: ResultsFile) -> dict[str, Any]:
    """What was recorded of the run as a whole."""
    config = file.content.get("config")
    config = config if isinstance(config, Mapping) else {}
    return {
        "source": "lm_eval log",
        "limit": config.get("limit"),
        "seed": config.get("random_seed"),
        "dtype": config.get("model_dtype"),
        "chat_template": bool(file.content.get("chat_template")),
        "chat_template_sha": file.content.get("chat_template_sha"),
        "system_instruction_sha": file.content.get("system_instruction_sha"),
        "generation_overrides": config.get("gen_kwargs"),
    }


def _created(file: ResultsFile) -> str:
    date = file.content.get("date")
    if isinstance(date, (int, float)) and not isinstance(date, bool) and 0 < date < 1e11:
        return datetime.fromtimestamp(date, UTC).isoformat(timespec="seconds")
    day, _, time = file.stamp.partition("T")
    return f"{day}T{time.split('.')[0].replace('-', ':')}+00:00"
