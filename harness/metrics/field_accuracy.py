"""The share of a record's declared fields that are right."""

from __future__ import annotations

from harness.core.items import FieldValue, Target
from harness.core.scores import Case
from harness.metrics.declare import metric
from harness.metrics.normalise_answer import normalise_answer


def same_value(given: FieldValue, gold: FieldValue, *, language: str = "en") -> bool:
    """Whether two field values are equal in type and content.

    Texts are compared as answers, 5 equals 5.0, and "5" is not 5, nor is true.

    Example:
        >>> same_value("monday.", "Monday"), same_value(5, 5.0), same_value("5", 5), same_value(True, 1)
        (True, True, False, False)
    """
    if isinstance(gold, str) or isinstance(given, str):
        if not (isinstance(gold, str) and isinstance(given, str)):
            return False
        return normalise_answer(given, language=language) == normalise_answer(gold, language=language)
    if isinstance(gold, bool) or isinstance(given, bool) or gold is None or given is None:
        return given is gold
    return given == gold


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    pass_at=1.0,
    shapes={"extraction", "conversation"},
    target={"fields"},
)
def field_accuracy(case: Case) -> float:
    """The share of the target's fields whose value is right, 0 to 1; right where all are.

    A missing field is wrong; a field nobody asked for changes nothing.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> gold = (("name", "Anna"), ("age", 5))
        >>> field_accuracy(example_case(Example(output='{"name": "anna", "age": "5"}', fields=gold)))
        0.5
    """
    item = case.variant.item
    wanted = (item.target or Target()).fields
    given = dict(case.prediction.fields or ())
    right = [name in given and same_value(given[name], gold, language=item.language) for name, gold in wanted]
    return sum(right) / len(right)
