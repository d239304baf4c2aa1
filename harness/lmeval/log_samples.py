"""The samples of one task in an lm-eval log, read back into answered documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.errors import DataError
from harness.lmeval.answered import AnsweredDocument
from harness.lmeval.documents import Document, OutputType, language_of
from harness.lmeval.item_values import Measure
from harness.lmeval.log_files import expected, read_lines

Place = tuple[Path, int]

# What lm-eval itself writes in a sample; in logs without `metrics` every other key is a metric.
SAMPLE_KEYS = frozenset(
    {
        "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash",
        "prompt_hash", "target_hash", "schema_version",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TaskSamples:
    """What a samples file holds.

    Args:
        answered: Its documents, each content once, in the order of the file.
        output_type: What the task asks for, as the calls show it.
        filters: Names of the filters, in order.
        duplicates: Numbers of the documents left out because an earlier one is equal.
    """

    answered: tuple[AnsweredDocument, ...]
    output_type: OutputType
    filters: tuple[str, ...]
    duplicates: tuple[int, ...]


def read_samples(path: Path, task: str, config: Mapping[str, Any]) -> TaskSamples:
    """One task's samples file.

    Args:
        path: The file.
        task: The task's name.
        config: The task's config as the results file holds it.

    Raises:
        DataError: With line and field, or if the file is empty.
    """
    by_hash: dict[str, AnsweredDocument] = {}
    numbers: dict[str, int] = {}
    filters: dict[str, None] = {}
    duplicates: dict[int, None] = {}
    for line, record in read_lines(path):
        place = (path, line)
        document = _document(record, task, config, place)
        filter_name = str(record.get("filter", "none"))
        filters.setdefault(filter_name)
        if numbers.setdefault(document.doc_hash, document.doc_id) != document.doc_id:
            duplicates.setdefault(document.doc_id)
            continue
        known = by_hash.get(document.doc_hash)
        if known is None:
            known = _with_responses(document, record, place)
        elif any(measure.filter == filter_name for measure in known.measures):
            raise DataError(
                f"document {document.doc_id} stands here a second time under filter '{filter_name}'; the file holds "
                "two runs, keep one",
                path=path,
                line=line,
                field="doc_id",
            )
        by_hash[document.doc_hash] = _with_filter(known, record, filter_name, place)
    if not by_hash:
        raise DataError("holds no sample", path=path)
    answered = tuple(by_hash.values())
    return TaskSamples(answered, answered[0].document.output_type, tuple(filters), tuple(duplicates))


def _document(record: Mapping[str, Any], task: str, config: Mapping[str, Any], place: Place) -> Document:
    expected(record, "doc", (dict, list, str), place)
    raw_calls = _raw_calls(record, place)
    return Document(
        task=task,
        doc_id=expected(record, "doc_id", int, place),
        doc_hash=expected(record, "doc_hash", str, place),
        output_type=_output_type(raw_calls, config),
        calls=tuple(tuple(part for part in call if isinstance(part, str)) for call in raw_calls),
        target=str(record.get("target", "")),
        language=language_of(record["doc"]),
        delimiter=str(config.get("target_delimiter", " ")),
    )


def _raw_calls(record: Mapping[str, Any], place: Place) -> tuple[tuple[Any, ...], ...]:
    """The arguments of each call; lm-eval writes them as `gen_args_<i>.arg_<j>`, older versions as lists."""
    arguments = expected(record, "arguments", (dict, list), place)
    calls = []
    parts = arguments if isinstance(arguments, list) else _numbered(arguments, "gen_args_", place)
    for part in parts:
        call = _numbered(part, "arg_", place) if isinstance(part, dict) else part
        if not isinstance(call, list) or not call or not isinstance(call[0], str):
            raise DataError(
                "expected the texts of each call", path=place[0], line=place[1], field="arguments"
            )
        calls.append(tuple(call))
    if not calls:
        raise DataError("holds no call", path=place[0], line=place[1], field="arguments")
    return tuple(calls)


def _numbered(parts: Mapping[str, Any], prefix: str, place: Place) -> list[Any]:
    names = [f"{prefix}{index}" for index in range(len(parts))]
    if set(names) != set(parts):
        raise DataError(
            f"expected the keys {prefix}0, {prefix}1 ..., got {', '.join(sorted(parts)[:4])}",
            path=place[0],
            line=place[1],
            field="arguments",
        )
    return [parts[name] for name in names]


def _output_type(calls: Sequence[tuple[Any, ...]], config: Mapping[str, Any]) -> OutputType:
    """What the calls are; the config of a task written in Python does not say it."""
    second = calls[0][1] if len(calls[0]) > 1 else None
    if isinstance(second, dict):
        return "generate_until"
    if not isinstance(second, str):
        return "loglikelihood_rolling"
    if config.get("output_type") == "loglikelihood":
        return "loglikelihood"
    return (
        "multiple_choice"
        if config.get("output_type") == "multiple_choice" or len(calls) > 1
        else "loglikelihood"
    )


def _with_responses(document: Document, record: Mapping[str, Any], place: Place) -> AnsweredDocument:
    responses = expected(record, "resps", list, place)
    if len(responses) != len(document.calls):
        raise DataError(
            f"has {len(responses)} entries for {len(document.calls)} calls",
            path=place[0],
            line=place[1],
            field="resps",
        )
    if document.output_type == "generate_until":
        texts = [
            text for repeats in responses for text in (repeats if isinstance(repeats, list) else [repeats])
        ]
        return AnsweredDocument(document, texts=tuple(str(text) for text in texts))
    pairs = [_pair(each, place) for each in responses]
    greedy = tuple(is_greedy for _, is_greedy in pairs if is_greedy is not None)
    return AnsweredDocument(document, logprobs=tuple(logprob for logprob, _ in pairs), greedy=greedy)


def _pair(response: Any, place: Place) -> tuple[float, bool | None]:
    """(log-likelihood, is greedy) of one call's first repeat; logs hold both as texts."""
    while isinstance(response, list) and response and isinstance(response[0], list):
        response = response[0]
    parts = response if isinstance(response, list) else [response]
    try:
        logprob = float(parts[0])
    except (TypeError, ValueError, IndexError) as error:
        raise DataError(
            f"expected a log-likelihood, got {str(parts)[:60]!r}", path=place[0], line=place[1], field="resps"
        ) from error
    if len(parts) < 2:
        return logprob, None
    return logprob, str(parts[1]) == "True" or parts[1] is True


def _with_filter(
    known: AnsweredDocument, record: Mapping[str, Any], filter_name: str, place: Place
) -> AnsweredDocument:
    named = record.get("metrics")
    if named is None:
        named = [key for key in record if key not in SAMPLE_KEYS]
    if not isinstance(named, list):
        raise DataError("expected a list of names", path=place[0], line=place[1], field="metrics")
    for name in named:
        if name not in record:
            raise DataError(
                "missing, although `metrics` names it", path=place[0], line=place[1], field=str(name)
            )
    measures = tuple(Measure(name, filter_name, record[name]) for name in named)
    filtered = dict(known.filtered)
    if known.document.output_type == "generate_until":
        filtered[filter_name] = _first_text(expected(record, "filtered_resps", list, place))
    return replace(known, measures=(*known.measures, *measures), filtered=filtered)


def _first_text(filtered: list[Any]) -> str:
    value: Any = filtered
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else str(value)
