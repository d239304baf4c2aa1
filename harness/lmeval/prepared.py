"""lm-eval tasks run on a backend: prompts, filters and scores are lm-eval's, the answers are ours."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.core.exchange import (
    Answer,
    Backend,
    BackendFailure,
    Chosen,
    Generated,
    TextScored,
)
from harness.core.naming import unknown_name
from harness.core.rows import SuiteRecord, SuiteResult
from harness.lmeval.answered import AnsweredDocument, TaskFacts, suite_record, suite_result, task_digest
from harness.lmeval.documents import Document, OutputType, language_of
from harness.lmeval.item_values import Measure, MetricRules
from harness.lmeval.requests import (
    Asked,
    failure_text,
    generation_json,
    generation_settings,
    requests_of,
    responses_of,
)
from harness.lmeval.task_loading import (
    FEWSHOT_SEED,
    build_instances,
    clear_failure,
    load_tasks,
    own_random_state,
    sampler_name,
)

if TYPE_CHECKING:
    from lm_eval.api.task import Task


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A document left out because an earlier one of its task has the same content."""

    task: str
    doc_id: int
    first_doc_id: int


@dataclass(frozen=True, slots=True)
class Prompted:
    """A document with lm-eval's instances and the requests they make."""

    document: Document
    instances: tuple[Any, ...]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class PreparedTask:
    """One task with its prompts."""

    task: Task
    facts: TaskFacts
    prompted: tuple[Prompted, ...]
    duplicates: tuple[Duplicate, ...]
    digest: str

    @property
    def name(self) -> str:
        """The task's name."""
        return self.facts.name


class PreparedTasks:
    """Tasks whose prompts are built. Make it with `prepare_tasks`; it may be run on any number of backends.

    Args:
        tasks: The tasks.
    """

    def __init__(self, tasks: Sequence[PreparedTask]) -> None:
        self.tasks = tuple(tasks)

    def __repr__(self) -> str:
        return f"PreparedTasks({', '.join(self.names)}: {self.n_requests} requests)"

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks' names."""
        return tuple(task.name for task in self.tasks)

    @property
    def digests(self) -> tuple[str, ...]:
        """Per task the digest of its items, targets, prompts and settings, in the order of `names`."""
        return tuple(task.digest for task in self.tasks)

    @property
    def records(self) -> tuple[SuiteRecord, ...]:
        """Every task as a run's manifest will name it, as far as that is known before the run.

        The metrics are those the task declares; a run's own record has those that were measured, and lm-eval's
        aggregates under `asking["reported"]`.
        """
        return tuple(
            suite_record(
                task.facts, [each.document for each in task.prompted], n_rejected=len(task.duplicates)
            )
            for task in self.tasks
        )

    @property
    def n_requests(self) -> int:
        """Requests of one run."""
        return sum(self.requests_of(name) for name in self.names)

    def requests_of(self, name: str) -> int:
        """Requests of one task in one run.

        Raises:
            UnknownName: If no task here has that name.
        """
        task = next((task for task in self.tasks if task.name == name), None)
        if task is None:
            raise unknown_name("prepared task", name, self.names)
        return sum(len(prompted.asked) for prompted in task.prompted)

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        """Documents left out because an earlier one is equal."""
        return tuple(duplicate for task in self.tasks for duplicate in task.duplicates)

    def run(self, backend: Backend, *, replicate: int = 0) -> list[SuiteResult]:
        """The rows of every task.

        All requests go to the backend at once. A document that it could not answer is missing: outcome `failed`
        and no value, in no aggregate.

        Args:
            backend: What answers.
            replicate: Number of the repeat of an otherwise equal run.
        """
        requests = [
            asked.request for task in self.tasks for prompted in task.prompted for asked in prompted.asked
        ]
        answers = dict(backend.answer(requests))
        return [_result(task, answers, replicate=replicate) for task in self.tasks]


def prepare_tasks(
    names: Sequence[str],
    *,
    include_paths: Sequence[Path] = (),
    limit: int | None = None,
    num_fewshot: int | None = None,
    seed: int = 0,
) -> PreparedTasks:
    """Loads tasks and builds their prompts, without a model.

    Prompts, few-shot draws included, are those of a plain `lm_eval` run in one process. With a limit they are those
    of the full run's first documents.

    Args:
        names: lm-eval's tasks, groups and tags, patterns such as `mmlu_*`, or paths of YAML files.
        include_paths: Folders with YAML tasks of one's own. Relative `data_files` are looked for beside the YAML
            file first, then, as in lm-eval, from the working directory.
        limit: First documents of each task, or None for all.
        num_fewshot: Few-shot examples; None keeps each task's own, and a task that says 0 keeps 0.
        seed: Of sampled generation.

    Raises:
        TaskError: If a name is unknown, a YAML file cannot be read, or a task or its data cannot be loaded.
    """
    from harness.core.errors import TaskError

    if isinstance(names, str):
        names = [names]
    if limit is not None and limit < 1:
        raise TaskError(f"limit is {limit}; give a number of documents of at least 1.")
    with own_random_state():  # even asking a task for its name draws from the global generator
        tasks = load_tasks(
            names, include_paths=[Path(path) for path in include_paths], num_fewshot=num_fewshot
        )
        return PreparedTasks([_prepared(task, limit=limit, seed=seed) for task in tasks])


def _prepared(task: Task, *, limit: int | None, seed: int) -> PreparedTask:
    by_document: dict[int, list[Any]] = {}
    for instance in build_instances(task, limit=limit):
        by_document.setdefault(instance.doc_id, []).append(instance)
    prompted: list[Prompted] = []
    duplicates: list[Duplicate] = []
    first: dict[str, int] = {}
    for doc_id, instances in by_document.items():
        instances.sort(key=lambda instance: instance.idx)
        with clear_failure(f"Document {doc_id} of task '{task.task_name}' cannot be read"):
            document = _document(task, doc_id, instances)
        if document.doc_hash in first:
            duplicates.append(Duplicate(document.task, doc_id, first[document.doc_hash]))
            continue
        first[document.doc_hash] = doc_id
        place = f"{document.task}/{doc_id}"
        prompted.append(Prompted(document, tuple(instances), requests_of(place, instances, seed=seed)))
    facts = _facts(task)
    documents = (each.document for each in prompted)
    return PreparedTask(task, facts, tuple(prompted), tuple(duplicates), task_digest(facts, documents))


def _document(task: Task, doc_id: int, instances: Sequence[Any]) -> Document:
    content = instances[0].doc
    return Document(
        task=task.task_name,
        doc_id=doc_id,
        doc_hash=doc_hash(content),
        output_type=_output_type(task),
        calls=tuple(tuple(part for part in each.args if isinstance(part, str)) for each in instances),
        target=str(task.doc_to_target(content)),
        language=language_of(content),
        delimiter=str(task.get_config("target_delimiter") or ""),
    )


def doc_hash(content: Any) -> str:
    """lm-eval's hash of a document, as it stands in its logs.

    Example:
        >>> doc_hash({"question": "2 + 2?"})[:12]
        'ea599d3fea95'
    """
    from lm_eval.utils import handle_non_serializable

    text = json.dumps(content, indent=2, default=handle_non_serializable, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _output_type(task: Task) -> OutputType:
    return cast(OutputType, task.OUTPUT_TYPE or task.get_config("output_type"))


def _facts(task: Task) -> TaskFacts:
    from importlib.metadata import version

    output_type = _output_type(task)
    filters = tuple(each.name for each in task._filters)
    generation: dict[str, object] = {}
    if output_type == "generate_until":
        generation = generation_json(
            generation_settings(task.task_name, task.get_config("generation_kwargs") or {})
        )
    asking: dict[str, object] = {
        "task": output_type,
        "read": {"by": "lm_eval", "filters": list(filters)},
        "generation": generation,
        "samples": int(task.get_config("repeats") or 1),
        "num_fewshot": int(task.get_config("num_fewshot") or 0),
        "fewshot": {"sampler": sampler_name(task), "seed": FEWSHOT_SEED},
        "lm_eval_version": version("lm_eval"),
    }
    return TaskFacts(task.task_name, str(task.VERSION), output_type, _rules(task, filters), asking)


def _rules(task: Task, filters: tuple[str, ...]) -> MetricRules:
    from lm_eval.api.registry import AGGREGATION_REGISTRY

    names = {function: name for name, function in AGGREGATION_REGISTRY.items()}
    return MetricRules(
        filters=filters,
        aggregations={
            metric: names.get(function, "custom") for metric, function in task.aggregation().items()
        },
        higher_is_better={metric: bool(better) for metric, better in task.higher_is_better().items()},
        has_own_scoring=callable(task.get_config("process_results")),
    )


def _result(prepared: PreparedTask, answers: Mapping[str, Answer], *, replicate: int) -> SuiteResult:
    answered: dict[int, AnsweredDocument] = {}
    scored: list[tuple[Document, list[Any]]] = []
    for prompted in prepared.prompted:
        one, instances = _answered(prompted, answers)
        answered[prompted.document.doc_id] = one
        if one.failure is None:
            scored.append((prompted.document, instances))
    reported: dict[str, Any] = {}
    if scored:
        # Filters see the answered documents only; each document's own answers are all a filter reads.
        prepared.task._instances = [instance for _, instances in scored for instance in instances]
        with own_random_state(), clear_failure(f"The answers to task '{prepared.name}' cannot be scored"):
            prepared.task.apply_filters()
            measured = {document.doc_id: _measured(prepared, instances) for document, instances in scored}
        for doc_id, (measures, filtered) in measured.items():
            answered[doc_id] = _with_measures(answered[doc_id], measures, filtered)
        reported = _aggregates(prepared, [measures for measures, _ in measured.values()])
    return suite_result(
        prepared.facts,
        list(answered.values()),
        n_rejected=len(prepared.duplicates),
        reported=reported,
        replicate=replicate,
    )


def _answered(prompted: Prompted, answers: Mapping[str, Answer]) -> tuple[AnsweredDocument, list[Any]]:
    """What came back for a document, and fresh instances that hold it."""
    instances = [copy.copy(instance) for instance in prompted.instances]
    for instance in instances:
        instance.resps, instance.filtered_resps = [], {}
    came: list[tuple[Asked, Answer]] = [
        (asked, answers[asked.request.request_id]) for asked in prompted.asked
    ]
    failures = [answer for _, answer in came if isinstance(answer, BackendFailure)]
    if failures:
        return AnsweredDocument(prompted.document, failure=failure_text(failures[0])), []
    logprobs: dict[int, tuple[float, bool, int]] = {}
    generated: list[Generated] = []
    seconds: list[float] = []
    for asked, answer in came:
        assert not isinstance(answer, BackendFailure)
        responses = responses_of(asked, answer, repeats=instances[0].repeats)
        for call, response in zip(asked.calls, responses, strict=True):
            instances[call].resps = response
        if isinstance(answer, Chosen):
            for call, option in zip(asked.calls, answer.options, strict=True):
                logprobs[call] = (option.logprob_nats, option.is_greedy, option.tokens)
        elif isinstance(answer, TextScored):
            logprobs[asked.calls[0]] = (answer.logprob_nats, False, answer.tokens)
        else:
            generated.append(answer)
        if answer.seconds is not None:
            seconds.append(answer.seconds)
    scores = [logprobs[call] for call in sorted(logprobs)]
    generations = [generation for each in generated for generation in each.generations]
    one = AnsweredDocument(
        prompted.document,
        texts=tuple(generation.text for generation in generations),
        finish_reasons=tuple(generation.finish_reason for generation in generations),
        logprobs=tuple(score[0] for score in scores),
        greedy=tuple(score[1] for score in scores),
        tokens=tuple(score[2] for score in scores) or tuple(generation.tokens for generation in generations),
        prompt_tokens=sum(
            answer.prompt_tokens for _, answer in came if isinstance(answer, (Chosen, Generated))
        )
        or None,
        seconds=sum(seconds) if seconds else None,
    )
    return one, instances


def _measured(prepared: PreparedTask, instances: Sequence[Any]) -> tuple[tuple[Measure, ...], dict[str, str]]:
    """lm-eval's measures of one document under each filter, and what each filter read."""
    measures: list[Measure] = []
    filtered: dict[str, str] = {}
    for name in prepared.facts.rules.filters:
        responses = [instance.filtered_resps[name] for instance in instances]
        found = prepared.task.process_results(instances[0].doc, responses)
        measures.extend(Measure(metric, name, value) for metric, value in found.items())
        if prepared.facts.output_type == "generate_until":
            filtered[name] = read_text(responses[0])
    return tuple(measures), filtered


def read_text(response: object) -> str:
    """What a filter read, as one text; a list of one stands for its element."""
    if isinstance(response, (list, tuple)) and len(response) == 1:
        response = response[0]
    return response if isinstance(response, str) else str(response)


def _with_measures(
    one: AnsweredDocument, measures: tuple[Measure, ...], filtered: dict[str, str]
) -> AnsweredDocument:
    from dataclasses import replace

    return replace(one, measures=measures, filtered=filtered)


def _aggregates(prepared: PreparedTask, measured: Sequence[tuple[Measure, ...]]) -> dict[str, Any]:
    """lm-eval's own figures over the answered documents, under the keys it prints; null where it has none."""
    from lm_eval.api.metrics import mean

    collected: dict[tuple[str, str], list[Any]] = {}
    for measures in measured:
        for measure in measures:
            collected.setdefault((measure.metric, measure.filter), []).append(measure.value)
    functions = prepared.task.aggregation()
    figures: dict[str, Any] = {}
    for (metric, filter_name), values in collected.items():
        with clear_failure(f"Metric '{metric}' of task '{prepared.name}' cannot be aggregated"):
            figures[f"{metric},{filter_name}"] = _figure(functions.get(metric, mean)(values))
    return figures


def _figure(value: Any) -> Any:
    """A JSON-able figure; NaN and what is no number are null."""
    import math

    from harness.lmeval.item_values import number_of

    number = number_of(value)
    return None if number is None or not math.isfinite(number) else number
