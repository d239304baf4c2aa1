"""The rows of a run from answered documents: one path for tasks just run and for logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.core.digest import digest, digest_of_ids
from harness.core.rows import MetricFacts, OutputRow, ScoreRow, SuiteRecord, SuiteResult
from harness.core.scores import Outcome
from harness.lmeval.documents import Document, OutputType
from harness.lmeval.item_values import (
    ItemValue,
    Measure,
    MetricRules,
    item_values,
    joined_facts,
    losses,
    primary_of,
)
from harness.metrics import gold_text

INVALID = "[invalid]"  # what lm-eval's regex filters give where nothing was found


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task as a run's manifest names it.

    Args:
        name: The task's name.
        version: lm-eval's version of it.
        output_type: What it asks for.
        rules: What it declares of its metrics.
        asking: JSON-able record of how it was asked.
        source: Whether it was run here or read from a log.
    """

    name: str
    version: str
    output_type: OutputType
    rules: MetricRules
    asking: dict[str, object]
    source: Literal["lm_eval", "import"] = "lm_eval"


@dataclass(frozen=True, slots=True)
class AnsweredDocument:
    """A document with what came back and what lm-eval made of it.

    Args:
        document: What was asked.
        failure: Why the system could not answer; the document is then missing, never wrong.
        measures: What lm-eval measured, under every filter.
        filtered: The answer each filter read from generated text.
        texts: Generated texts, one per repeat.
        finish_reasons: Why each ended, where known.
        logprobs: Log-likelihood of each call's continuation, or of the text.
        greedy: Whether greedy decoding gives it.
        tokens: Length of each in tokens, where known.
    """

    document: Document
    failure: str | None = None
    measures: tuple[Measure, ...] = ()
    filtered: dict[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    logprobs: tuple[float, ...] = ()
    greedy: tuple[bool, ...] = ()
    tokens: tuple[int, ...] = ()
    prompt_tokens: int | None = None
    seconds: float | None = None

    def values(self, rules: MetricRules) -> tuple[ItemValue, ...]:
        """The named values of this document."""
        found = item_values(self.measures, rules)
        if self.document.output_type != "loglikelihood_rolling" or not self.logprobs:
            return found
        tokens = self.tokens[0] if self.tokens else None
        ours = losses(self.logprobs[0], self.document.calls[0][0], tokens)
        names = {value.name for value in ours}
        return (*ours, *(value for value in found if value.name not in names))


def task_digest(facts: TaskFacts, documents: Iterable[Document]) -> str:
    """The digest of what a task asks: items, targets, prompts, and how they are asked.

    The prompts belong to it, so that another few-shot draw or an edited template makes another run.
    """
    asked = [
        digest("asked/1", d.variant.variant_id, d.variant.item.target_id, d.prompt_id) for d in documents
    ]
    how = {name: value for name, value in facts.asking.items() if name not in ("reported", "lm_eval_version")}
    return digest_of_ids("lm_eval_suite/1", [*asked, digest("how/1", facts.name, how)])


def suite_record(
    facts: TaskFacts,
    documents: Sequence[Document],
    *,
    n_rejected: int = 0,
    metrics: tuple[MetricFacts, ...] = (),
    reported: Mapping[str, Any] | None = None,
) -> SuiteRecord:
    """A task as a run's manifest names it.

    Args:
        facts: The task.
        documents: Its documents, each content once, at least one.
        n_rejected: Documents left out because an earlier one is equal.
        metrics: What was measured; before a run, what the task declares.
        reported: lm-eval's own aggregates, "metric,filter" to value, once there are any.
    """
    metrics = metrics or _declared_metrics(facts)
    return SuiteRecord(
        name=facts.name,
        version=facts.version,
        digest=task_digest(facts, documents),
        primary=primary_of(metrics),
        metrics=metrics,
        task=documents[0].shape,
        asking=facts.asking if reported is None else facts.asking | {"reported": dict(reported)},
        n_items=len(documents),
        n_variants=len(documents),
        n_rejected=n_rejected,
        source=facts.source,
    )


def suite_result(
    facts: TaskFacts,
    answered: Sequence[AnsweredDocument],
    *,
    n_rejected: int = 0,
    reported: Mapping[str, Any],
    replicate: int = 0,
) -> SuiteResult:
    """All rows of one task.

    Args:
        facts: The task.
        answered: Its documents, each content once.
        n_rejected: Documents left out because an earlier one is equal.
        reported: lm-eval's own aggregates, "metric,filter" to value.
        replicate: Number of the repeat of an otherwise equal run.
    """
    values = {one.document.variant.variant_id: one.values(facts.rules) for one in answered}
    record = suite_record(
        facts,
        [one.document for one in answered],
        n_rejected=n_rejected,
        metrics=joined_facts(value.facts for each in values.values() for value in each),
        reported=reported,
    )
    filter_name = _filter_of(record.primary, facts.rules)
    scores = [
        row
        for one in answered
        for row in _score_rows(record, one, values[one.document.variant.variant_id], replicate=replicate)
    ]
    outputs = [row for one in answered for row in _output_rows(record.name, one, filter_name)]
    items = tuple(one.document.row() for one in answered)
    return SuiteResult(record, items, tuple(scores), tuple(outputs))


def _declared_metrics(facts: TaskFacts) -> tuple[MetricFacts, ...]:
    """What a task declares that it measures, for before a run and for one in which nothing was answered."""
    if facts.output_type == "loglikelihood_rolling":
        return tuple(
            MetricFacts(name, "lower", (0.0, None)) for name in ("bits_per_byte_loss", "nats_per_token_loss")
        )
    rules = facts.rules
    names = list(rules.higher_is_better) or ["acc"]
    return tuple(
        MetricFacts(
            rules.shown(name, filter_name),
            "higher" if rules.higher_is_better.get(name, True) else "lower",
            (None, None),
        )
        for name in names
        for filter_name in rules.filters
    )


def _filter_of(metric: str, rules: MetricRules) -> str:
    """The filter a metric was computed under."""
    return next((name for name in rules.filters if metric.endswith(f"[{name}]")), rules.filters[0])


def _outcome(one: AnsweredDocument, filter_name: str) -> Outcome:
    if one.failure is not None:
        return "failed"
    return "unparsed" if one.filtered.get(filter_name) == INVALID else "scored"


def _score_rows(
    record: SuiteRecord, one: AnsweredDocument, values: Sequence[ItemValue], *, replicate: int
) -> Iterator[ScoreRow]:
    variant = one.document.variant
    by_name = {value.name: value for value in values}
    for facts in record.metrics:
        value = by_name.get(facts.name)
        if value is None and one.failure is None and by_name:
            continue  # the task itself leaves this metric out for this document
        yield ScoreRow(
            variant_id=variant.variant_id,
            item_id=variant.item_id,
            target_id=variant.item.target_id,
            suite=record.name,
            family=variant.family,
            transform=variant.transform,
            params=variant.params,
            position=None,
            dose=None,
            level=None,
            language=variant.item.language,
            sample=0,
            replicate=replicate,
            metric=facts.name,
            value=None if value is None else value.value,
            outcome=_outcome(one, "" if value is None else value.filter),
        )


def _output_rows(suite: str, one: AnsweredDocument, filter_name: str) -> Iterator[OutputRow]:
    """One row a repeat; what the first filter read stands with the first."""
    document = one.document
    variant = document.variant
    is_rolling = document.output_type == "loglikelihood_rolling"
    kind: Literal["choose", "score", "generate"] = "choose"
    if is_rolling or document.output_type == "generate_until":
        kind = "score" if is_rolling else "generate"
    outcome = _outcome(one, filter_name)
    chosen = one.logprobs and kind == "choose"
    for sample in range(max(1, len(one.texts))):
        yield OutputRow(
            variant_id=variant.variant_id,
            item_id=variant.item_id,
            prompt_id=document.prompt_id,
            target_id=variant.item.target_id,
            suite=suite,
            sample=sample,
            kind=kind,
            text=one.texts[sample] if one.texts else None,
            predicted=_predicted(one, filter_name) if sample == 0 and outcome == "scored" else None,
            gold=gold_text(variant.item),
            outcome=outcome,
            reason=one.failure or ("the filter found no answer" if outcome == "unparsed" else None),
            option_logprobs=one.logprobs if chosen else None,
            option_tokens=one.tokens or None if chosen else None,
            option_greedy=one.greedy or None if chosen else None,
            logprob_nats=one.logprobs[0] if is_rolling and one.logprobs else None,
            tokens=one.tokens[sample] if kind != "choose" and sample < len(one.tokens) else None,
            finish_reason=one.finish_reasons[sample] if sample < len(one.finish_reasons) else None,
            prompt_tokens=one.prompt_tokens,
            seconds=one.seconds if sample == 0 else None,
        )


def _predicted(one: AnsweredDocument, filter_name: str) -> str | None:
    """The likeliest option's index (the first of equals, as in lm-eval), or what the filter read."""
    options = len(one.document.options)
    if options and len(one.logprobs) >= options:
        scored = one.logprobs[:options]
        return str(max(range(options), key=lambda index: (scored[index], -index)))
    return one.filtered.get(filter_name)
