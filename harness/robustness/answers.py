"""A stored run's answers as the measures take them: what each says, whether it is right, and what its source said."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.codec import item_from_json
from harness.core.items import Item
from harness.core.rows import MetricFacts, SuiteRecord
from harness.core.scores import Outcome
from harness.core.variants import SOURCE
from harness.metrics.normalise_answer import normalise_answer
from harness.store import StoredRun


@dataclass(frozen=True, slots=True)
class Answered:
    """One variant and its answer.

    Attributes:
        item: What was asked.
        content: What the answer says, apart from where it stands; None where none could be read.
        gold: What the right answer says; None where there is none.
        score: The suite's score in 0 to 1, up is better, mean over samples; None where missing.
        right: Whether it is right; None where the suite cannot tell, or it is missing.
        picked: Slot of the option picked; None without options or answer.
        logprobs: Log-probability of each option; None where options were not scored.
    """

    variant_id: str
    item_id: str
    transform: str
    family: str
    params: str
    level: str | None
    position: float | None
    dose: float | None
    item: Item
    kind: str
    outcome: Outcome
    text: str | None
    predicted: str | None
    content: str | None
    gold: str | None
    score: float | None
    right: bool | None
    picked: int | None
    logprobs: tuple[float, ...] | None

    @property
    def is_source(self) -> bool:
        """Whether this is the unchanged item."""
        return self.transform == SOURCE

    @property
    def chance(self) -> float | None:
        """What guessing among the options or labels scores; None where there are none."""
        n_answers = self.n_answers
        return None if n_answers is None else 1 / n_answers

    @property
    def n_answers(self) -> int | None:
        """How many options or labels there are to pick from."""
        prompt = self.item.prompt
        found = len(prompt.options) or len(prompt.labels)
        return found if found > 1 else None


def scoring_metric(record: SuiteRecord) -> MetricFacts | None:
    """The primary metric if each answer has a value in 0 to 1 of it, else the first that has; None without."""
    able = [fact for fact in record.metrics if not fact.corpus and fact.bounds == (0.0, 1.0)]
    return next((fact for fact in able if fact.name == record.primary), able[0] if able else None)


def answers_of(run: StoredRun, record: SuiteRecord, metric: MetricFacts) -> tuple[Answered, ...]:
    """Every variant of a suite with the run's first answer to it.

    Args:
        run: A finished run.
        record: One of its suites.
        metric: From `scoring_metric`.
    """
    outputs = run.outputs()
    outputs = outputs[(outputs["suite"] == record.name) & (outputs["sample"] == 0)].set_index("variant_id")
    scores = run.scores()
    scores = scores[scores["suite"] == record.name]
    own = scores[scores["metric"] == metric.name]
    values = own.groupby("variant_id")["value"].mean().to_dict()
    decided = next((fact for fact in (metric, *record.metrics) if fact.pass_at is not None), None)
    verdicts: dict[Hashable, float] = {}
    if decided is not None:
        first = scores[(scores["metric"] == decided.name) & (scores["sample"] == 0)]
        verdicts = dict(zip(first["variant_id"], first["value"], strict=True))
    variants = run.variants(record.name)
    rows = variants[variants["variant_id"].isin(outputs.index)].to_dict("records")
    given = outputs.to_dict("index")
    return tuple(_answered(row, given[row["variant_id"]], metric, values, decided, verdicts) for row in rows)


def _answered(
    row: Mapping[Hashable, Any],
    output: Mapping[Hashable, Any],
    metric: MetricFacts,
    values: Mapping[Hashable, float],
    decided: MetricFacts | None,
    verdicts: Mapping[Hashable, float],
) -> Answered:
    item = item_from_json(json.loads(row["item"]))
    variant_id = str(row["variant_id"])
    value = _number(values.get(variant_id))
    verdict = _number(verdicts.get(variant_id))
    right = None if decided is None or verdict is None else decided.is_right(verdict)
    predicted = output["predicted"] if isinstance(output["predicted"], str) else None
    gold = output["gold"] if isinstance(output["gold"], str) else None
    said = content_of(item, gold)
    logprobs = output["option_logprobs"]
    return Answered(
        variant_id=variant_id,
        item_id=str(row["item_id"]),
        transform=str(row["transform"]),
        family=str(row["family"]),
        params=str(row["params"]),
        level=row["level"] if isinstance(row["level"], str) else None,
        position=_number(row["position"]),
        dose=_number(row["dose"]),
        item=item,
        kind=str(output["kind"]),
        outcome=output["outcome"],
        text=output["text"] if isinstance(output["text"], str) else None,
        predicted=predicted,
        # Two right answers say the same, however they are worded.
        content=said if right else content_of(item, predicted),
        gold=said,
        score=value if value is None or metric.direction == "higher" else 1 - value,
        right=right,
        picked=int(predicted)
        if item.prompt.options and predicted is not None and predicted.isdigit()
        else None,
        logprobs=None
        if logprobs is None or isinstance(logprobs, float)
        else tuple(float(one) for one in logprobs),
    )


def content_of(item: Item, answer: str | None) -> str | None:
    """What an answer, as the outputs keep it, says: an option's text, a label's id, a text made comparable.

    Example:
        >>> from harness.core.items import Prompt
        >>> content_of(Item(language="en", prompt=Prompt(options=("red", "Blue"))), "1")
        'blue'
    """
    if answer is None:
        return None
    options = item.prompt.options
    if options:
        is_place = answer.isdigit() and int(answer) < len(options)
        return options[int(answer)].strip().casefold() if is_place else answer
    if item.prompt.labels:
        return answer
    return normalise_answer(answer, language=item.language)


def _number(value: object) -> float | None:
    if value is None or value != value:
        return None
    return float(value)  # type: ignore[arg-type]
