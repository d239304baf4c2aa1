"""From a case to a score: looking metrics up, checking that they fit, and the outcome rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from harness.core.digest import canonical_json
from harness.core.errors import UsageError
from harness.core.exchange import TextScored
from harness.core.items import Item, TaskShape
from harness.core.registry import Registry
from harness.core.scores import Case, Score
from harness.metrics.declare import CorpusRow, MetricSpec
from harness.prompting.asking import ReadBy

METRICS = Registry("metric", "harness.metrics", group="sft_harness.metrics")
GIVEN_PARSED = "_given_parsed"


@cache
def _unit(name: str) -> Callable[..., Any]:
    """A metric's function; kept, because the registry lists folders and entry points anew at every call."""
    return METRICS.get(name)


def _base_name(name: str) -> str:
    return name.removesuffix(GIVEN_PARSED)


def specification(name: str) -> MetricSpec:
    """What a metric declares; `<metric>_given_parsed` declares the same under its own name.

    Raises:
        UnknownName: With the nearest names.

    Example:
        >>> specification("exact_match").direction, specification("token_perplexity").direction
        ('higher', 'lower')
    """
    spec: MetricSpec = _unit(_base_name(name)).specification  # type: ignore[attr-defined]
    if name == spec.name:
        return spec
    if spec.corpus:
        raise UsageError(
            f"'{name}': {spec.name} scores a whole suite; only item metrics have '{GIVEN_PARSED}'."
        )
    return replace(spec, name=name)


def applicable(metric: str, task: TaskShape) -> bool:
    """Whether a metric can score a task shape.

    Example:
        >>> applicable("rouge_l_score", "free_text"), applicable("rouge_l_score", "multiple_choice")
        (True, False)
    """
    return task in specification(metric).shapes


def applicable_names(task: TaskShape) -> list[str]:
    """The metrics that can score a task shape, sorted.

    Example:
        >>> applicable_names("likelihood")
        ['bits_per_byte_loss', 'nats_per_token_loss', 'token_perplexity']
    """
    return [name for name in METRICS.names() if applicable(name, task)]


def require_applicable(metric: str, task: TaskShape, *, by: ReadBy = "option_text") -> None:
    """Refuses a metric that does not fit how a suite asks.

    Args:
        metric: Its name.
        task: The suite's task shape.
        by: How the suite reads an answer among options.

    Raises:
        UsageError: Naming the metrics that fit.

    Example:
        >>> require_applicable("accuracy", "likelihood")
        Traceback (most recent call last):
        harness.core.errors.UsageError: Metric 'accuracy' cannot score the task 'likelihood'; it scores
        classification, conversation, multiple_choice. For 'likelihood' there are: bits_per_byte_loss,
        nats_per_token_loss, token_perplexity.
    """
    spec = specification(metric)
    if task not in spec.shapes:
        raise UsageError(
            f"Metric '{metric}' cannot score the task '{task}'; it scores {', '.join(sorted(spec.shapes))}. "
            f"For '{task}' there are: {', '.join(applicable_names(task))}."
        )
    if spec.name == "normalised_accuracy" and by == "letter":
        raise UsageError(
            "Metric 'normalised_accuracy' divides by the options' lengths, but the suite reads letters; "
            "use 'accuracy', or `read: {by: option_text}`."
        )


def require_target(metric: str, item: Item) -> None:
    """Refuses an item whose target a metric cannot compare with.

    Raises:
        UsageError: Naming the item and what its target lacks.
    """
    spec = specification(metric)
    if not spec.target:
        return
    target = item.target
    present = {
        part
        for part in ("label", "option", "answers", "fields", "references")
        if target is not None and getattr(target, part) not in (None, ())
    }
    if not spec.target & present:
        raise UsageError(
            f"Item {item.item_id} has {' and '.join(sorted(present)) or 'nothing'} in its target; "
            f"metric '{metric}' needs {' or '.join(sorted(spec.target))}."
        )
    fault = None if spec.unfit is None else spec.unfit(item)
    if fault is not None:
        raise UsageError(f"Item {item.item_id}: {fault}")


def score_case(case: Case, metric: str) -> Score:
    """One metric on one case, by the outcome rules.

    A failed answer has no value (missing); an unparsed or abstained one has the worst value, and none under
    `<metric>_given_parsed`.

    Args:
        case: The answered variant.
        metric: Name of an item metric, or `<metric>_given_parsed`.

    Raises:
        UsageError: If the metric scores whole suites, or the item's target has nothing to compare with.
    """
    spec = specification(metric)
    if spec.corpus:
        raise UsageError(f"Metric '{metric}' scores a whole suite, not one case; call it with corpus rows.")
    require_target(metric, case.variant.item)
    outcome = case.prediction.outcome
    value: float | None = _unit(_base_name(metric))(case)
    if metric.endswith(GIVEN_PARSED) and outcome != "scored":
        value = None
    return Score(case.variant.variant_id, metric, value, outcome, case.sample)


def is_correct(value: float | None, spec: MetricSpec) -> bool | None:
    """Whether a value counts as right; None where it is missing or the metric has no pass rule.

    Example:
        >>> spec = specification("exact_match")
        >>> is_correct(1.0, spec), is_correct(0.0, spec), is_correct(None, spec)
        (True, False, None)
        >>> is_correct(0.2, specification("nats_per_token_loss")) is None
        True
    """
    if value is None or spec.pass_at is None:
        return None
    return value >= spec.pass_at if spec.direction == "higher" else value <= spec.pass_at


def gold_text(item: Item) -> str | None:
    """The right answer as one text: label id, option index, JSON of the fields, or the first answer.

    Example:
        >>> from harness.core.items import Item, Prompt, Target
        >>> gold_text(Item(language="en", prompt=Prompt(), target=Target(option=2)))
        '2'
        >>> gold_text(Item(language="en", prompt=Prompt())) is None
        True
    """
    target = item.target
    if target is None:
        return None
    if target.label is not None:
        return target.label
    if target.option is not None:
        return str(target.option)
    if target.fields:
        return canonical_json(dict(target.fields))
    texts = (*target.answers, *target.references)
    return texts[0] if texts else None


def corpus_row(case: Case, *, weight: float = 1.0) -> CorpusRow | None:
    """What a corpus metric sees of a case; None where the answer failed, which is missing."""
    prediction = case.prediction
    if prediction.outcome == "failed":
        return None
    answer = case.answer
    logprob_nats, tokens = None, None
    if isinstance(answer, TextScored):
        logprob_nats, tokens = answer.logprob_nats, answer.tokens
    predicted = prediction.shown if prediction.outcome == "scored" else None
    return CorpusRow(predicted, gold_text(case.variant.item), logprob_nats, tokens, weight)
