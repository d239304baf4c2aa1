"""A loaded lm-eval task with its prompts: documents, lm-eval's calls, and the requests they make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from harness.lmeval.answered import TaskFacts, task_digest
from harness.lmeval.documents import Document, OutputType, language_of
from harness.lmeval.item_values import MetricRules
from harness.lmeval.requests import Asked, generation_json, generation_settings, requests_of
from harness.lmeval.task_loading import FEWSHOT_SEED, build_instances, clear_failure, sampler_name

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


def prepared_task(task: Task, *, limit: int | None, seed: int) -> PreparedTask:
    """Builds the prompts of a loaded task; a document equal to an earlier one is left out and listed."""
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
    )
