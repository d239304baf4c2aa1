"""What a backend answered to one task, filtered and scored by lm-eval document by document."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core.exchange import Answer, BackendFailure, Chosen, Generated, TextScored
from harness.core.rows import SuiteResult
from harness.lmeval.answered import AnsweredDocument, suite_result
from harness.lmeval.documents import Document
from harness.lmeval.item_values import Measure, number_of
from harness.lmeval.prompted import PreparedTask, Prompted
from harness.lmeval.requests import Asked, failure_text, responses_of
from harness.lmeval.task_loading import clear_failure, own_random_state


def task_result(prepared: PreparedTask, answers: Mapping[str, Answer], *, replicate: int) -> SuiteResult:
    """The rows of one task.

    A document that was not answered is missing, and in no aggregate.

    Args:
        prepared: The task.
        answers: By request id.
        replicate: Number of the repeat of an otherwise equal run.
    """
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
            answered[doc_id] = replace(answered[doc_id], measures=measures, filtered=filtered)
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
            filtered[name] = _read_text(responses[0])
    return tuple(measures), filtered


def _read_text(response: object) -> str:
    """What a filter read, as one text; a list of one stands for its element."""
    if isinstance(response, (list, tuple)) and len(response) == 1:
        response = response[0]
    return response if isinstance(response, str) else str(response)


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
    number = number_of(value)
    return None if number is None or not math.isfinite(number) else number
