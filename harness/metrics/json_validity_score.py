"""Whether the whole answer is one flat JSON object."""

from __future__ import annotations

from harness.core.items import Item
from harness.core.scores import Case
from harness.metrics.declare import metric


def _unfit(item: Item) -> str | None:
    output = item.prompt.output
    if output is None or output.format.startswith("json"):
        return None
    return f"its prompt asks for {output.format}, which 'json_validity_score' cannot judge."


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    binary=True,
    pass_at=1.0,
    shapes={"extraction", "conversation"},
    target={"fields"},
    unfit=_unfit,
)
def json_validity_score(case: Case) -> float:
    """1.0 where the answer is strictly a flat JSON object, 0.0 where prose, a fence or a fault stands in it.

    Judges form only: not which fields there are, nor their values (see `field_accuracy`).

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> gold = (("day", "Monday"),)
        >>> json_validity_score(example_case(Example(output='{"day": "Sunday"}', fields=gold)))
        1.0
        >>> json_validity_score(example_case(Example(output='Sure: {"day": "Monday"}', fields=gold)))
        0.0
    """
    return float(case.prediction.fields is not None)
