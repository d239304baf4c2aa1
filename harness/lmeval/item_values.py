"""From what an lm-eval task measures on one document to named per-item values, and the facts of each metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.core.rows import MetricFacts

Direction = Literal["higher", "lower"]

# lm-eval's own names whose value on one document is 0 or 1.
RIGHT_OR_WRONG = frozenset({"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"})
# Aggregates over a corpus that lm-eval also defines on a corpus of one document.
SENTENCE_BOUNDS: Mapping[str, tuple[float, float | None]] = {
    "bleu": (0.0, 100.0),
    "chrf": (0.0, 100.0),
    "chrf++": (0.0, 100.0),
    "ter": (0.0, None),
}
LOSSES = ("bits_per_byte_loss", "nats_per_token_loss")


@dataclass(frozen=True, slots=True)
class Measure:
    """What `process_results` gave for one document under one filter.

    Args:
        metric: lm-eval's name.
        filter: The filter's name.
        value: A number, or parts from which lm-eval computes a figure over all documents.
    """

    metric: str
    filter: str
    value: Any


@dataclass(frozen=True, slots=True)
class MetricRules:
    """What a task declares of its metrics.

    Args:
        filters: Names of its filters, in order.
        aggregations: lm-eval's name of the aggregation by metric; "custom" for a function of the task's own.
        higher_is_better: By metric.
    """

    filters: tuple[str, ...] = ("none",)
    aggregations: Mapping[str, str] = field(default_factory=dict)
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)

    def shown(self, metric: str, filter_name: str) -> str:
        """The metric's name here: with its filter where the task has several.

        Example:
            >>> MetricRules().shown("acc", "none")
            'acc'
            >>> MetricRules(("strict", "flexible")).shown("exact_match", "strict")
            'exact_match[strict]'
        """
        return metric if len(self.filters) < 2 else f"{metric}[{filter_name}]"


@dataclass(frozen=True, slots=True)
class ItemValue:
    """One named value of one document. `value` is None where the metric gave no finite number."""

    name: str
    filter: str
    value: float | None
    facts: MetricFacts


def item_values(measures: Sequence[Measure], rules: MetricRules) -> tuple[ItemValue, ...]:
    """The per-item values in what was measured on one document.

    Numbers keep lm-eval's name. Where lm-eval only collects parts for a figure over the whole task, what they say
    of this one document is taken under a name of its own: `acc` from pairs of gold and predicted class,
    `sentence_bleu`, `sentence_chrf`, `sentence_ter`, `brier_score`, and `nats_loss` for a log-likelihood.
    Anything else has no per-item value and is only in the aggregates.
    """
    found: dict[str, ItemValue] = {}
    for measure in measures:
        for value in _values(measure, rules):
            found.setdefault(value.name, value)
    return tuple(found.values())


def _values(measure: Measure, rules: MetricRules) -> Iterable[ItemValue]:
    aggregation = rules.aggregations.get(measure.metric, "mean")
    number = number_of(measure.value)
    if number is not None:
        if measure.metric == "bypass" or aggregation == "bypass":
            return
        if aggregation == "perplexity":
            yield _named("nats_loss", measure, rules, _finite(-number), "lower", (0.0, None))
            return
        direction: Direction = "higher" if rules.higher_is_better.get(measure.metric, True) else "lower"
        bounds = (0.0, 1.0) if measure.metric in RIGHT_OR_WRONG else (None, None)
        yield _named(measure.metric, measure, rules, _finite(number), direction, bounds)
    elif aggregation in SENTENCE_BOUNDS:
        name = f"sentence_{measure.metric}"
        worse: Direction = "lower" if aggregation == "ter" else "higher"
        value = _sentence_value(aggregation, measure.value)
        if value is not None:
            yield _named(name, measure, rules, value, worse, SENTENCE_BOUNDS[aggregation])
    elif aggregation == "brier_score":
        value = _brier(measure.value)
        if value is not None:
            yield _named("brier_score", measure, rules, value, "lower", (0.0, 2.0))
    elif aggregation in ("f1", "matthews_corrcoef"):
        pair = measure.value
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            yield _named("acc", measure, rules, float(pair[0] == pair[1]), "higher", (0.0, 1.0))


def _named(
    metric: str,
    measure: Measure,
    rules: MetricRules,
    value: float | None,
    direction: Direction,
    bounds: tuple[float | None, float | None],
) -> ItemValue:
    name = rules.shown(metric, measure.filter)
    is_binary = metric in RIGHT_OR_WRONG and (value is None or value in (0.0, 1.0))
    facts = MetricFacts(name, direction, bounds, binary=is_binary, pass_at=1.0 if is_binary else None)
    return ItemValue(name, measure.filter, value, facts)


def joined_facts(every: Iterable[MetricFacts]) -> tuple[MetricFacts, ...]:
    """One record per metric: binary only where every document's value is 0 or 1."""
    joined: dict[str, MetricFacts] = {}
    for facts in every:
        known = joined.setdefault(facts.name, facts)
        if known.binary and not facts.binary:
            joined[facts.name] = facts
    return tuple(joined.values())


def losses(logprob_nats: float, text: str, tokens: int | None) -> tuple[ItemValue, ...]:
    """The loss of one text per UTF-8 byte in bits and, where its tokens are known, per token in nats.

    Example:
        >>> [(loss.name, loss.value) for loss in losses(-8 * math.log(2), "abcd", None)]
        [('bits_per_byte_loss', 2.0)]
    """
    amounts = (len(text.encode("utf-8", "surrogatepass")) * math.log(2), tokens)
    return tuple(
        ItemValue(
            name, "none", _finite(max(0.0, -logprob_nats / amount)), MetricFacts(name, "lower", (0.0, None))
        )
        for name, amount in zip(LOSSES, amounts, strict=True)
        if amount
    )


def primary_of(metrics: Sequence[MetricFacts]) -> str:
    """The metric a task is judged by where nobody says: `acc` if it has it, else its first."""
    names = [facts.name for facts in metrics]
    plain = [name for name in names if name.split("[")[0] == "acc"]
    return (plain or names)[0]


def number_of(value: object) -> float | None:
    """A number (a truth value is 0 or 1), or None for anything else; NumPy's scalars are numbers."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    scalar = getattr(value, "item", None)
    if scalar is not None and getattr(value, "ndim", None) == 0:
        return number_of(scalar())
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _sentence_value(aggregation: str, parts: object) -> float | None:
    """sacrebleu's figure of one sentence; lm-eval's own is sacrebleu's of the whole corpus."""
    import sacrebleu

    if not (isinstance(parts, (list, tuple)) and len(parts) == 2):
        return None
    references = [str(each) for each in (parts[0] if isinstance(parts[0], (list, tuple)) else [parts[0]])]
    text = str(parts[1][0] if isinstance(parts[1], (list, tuple)) and parts[1] else parts[1])
    if aggregation == "bleu":
        return _finite(sacrebleu.sentence_bleu(text, references).score)
    if aggregation == "ter":
        return _finite(sacrebleu.sentence_ter(text, references).score)
    return _finite(
        sacrebleu.sentence_chrf(text, references, word_order=2 if aggregation == "chrf++" else 0).score
    )


def _brier(parts: object) -> float | None:
    """Sum of squared differences to the right option's 1; its mean over documents is lm-eval's figure."""
    if not (isinstance(parts, (list, tuple)) and len(parts) == 2):
        return None
    gold, shares = parts
    place = number_of(gold)
    numbers = _numbers(shares)
    if place is None or numbers is None or not 0 <= place < len(numbers):
        return None
    return math.fsum((share - (index == place)) ** 2 for index, share in enumerate(numbers))


def _numbers(values: Any) -> list[float] | None:
    """A list of numbers, or None; logs hold lm-eval's arrays as NumPy prints them, to eight digits."""
    if isinstance(values, str):
        values = values.strip("[]").split()
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        return None
