"""Whether the answer was in the form its prompt declares."""

from __future__ import annotations

from harness.core.items import Item
from harness.core.scores import Case
from harness.metrics.declare import metric


def _unfit(item: Item) -> str | None:
    if item.prompt.output is not None and item.prompt.output.fields:
        return None
    return "its prompt declares no form of the answer, which 'format_validity_score' judges; add `output`."


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    binary=True,
    pass_at=1.0,
    shapes={"extraction", "conversation", "classification", "multiple_choice", "short_answer"},
    target={"fields", "label", "option", "answers"},
    unfit=_unfit,
)
def format_validity_score(case: Case) -> float:
    """1.0 where an answer could be read in the declared form (JSON, XML, a table, a sentence ...), else 0.0.

    With it stand two others: a metric under `_given_parsed` is what the answers in form are worth, and the metric
    itself is form and content together. A label outside the set counts as no answer.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> gold = (("day", "Monday"),)
        >>> format_validity_score(example_case(Example(output='{"day": "Sunday"}', fields=gold)))
        1.0
        >>> format_validity_score(example_case(Example(output="Sunday", fields=gold)))
        0.0
    """
    return float(case.prediction.outcome == "scored")
