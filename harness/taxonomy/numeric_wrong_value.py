"""A number was asked for and another one given."""

from __future__ import annotations

from fractions import Fraction

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.metrics.read_number import Number, final_number, numbers_in, same_number, whole_number
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.output_text import output_text
from harness.taxonomy.refusal import refusal

ROUNDING_SHARE = Fraction(1, 100)
_POWERS = tuple(Fraction(10) ** power for power in (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6))


def how_it_differs(given: Number, gold: Number) -> str | None:
    """In which familiar way a wrong number differs from the right one, or None.

    Example:
        >>> near = [Number(Fraction(value)) for value in (-18, 180, 17, 81)]
        >>> [how_it_differs(number, Number(Fraction(18))) for number in near]
        ['sign', 'scale', 'off by one', 'transposed digits']
    """
    value, right = given.value, gold.value
    if right and value == -right:
        return "sign"
    if right and value and value / right in _POWERS:
        return "scale"
    whole = value.denominator == right.denominator == 1
    if whole and abs(value - right) == 1:
        return "off by one"
    if right and abs(value - right) < abs(right) * ROUNDING_SHARE:
        return "rounding"
    if whole and sorted(str(value)) == sorted(str(right)):
        return "transposed digits"
    return None


@error_class(
    stage="content",
    order=10,
    version=1,
    needs={"output", "gold"},
    positives=(
        Example(output="16 - 3 = 13, so the answer is 13.", answers=("18",)),
        Example(output="一共三百元", answers=("320",), language="zh"),
        Example(output="$1,800", answers=("18",)),
        Example(output="答案：8１元", answers=("18",), language="zh"),
    ),
    negatives=(
        Example(output="The answer is 18.00 dollars.", answers=("18",)),
        Example(output="三百二十元", answers=("320",), language="zh"),
        Example(output="many", answers=("18",)),
        Example(output="1998", answers=("the 1998 World Cup",)),
        Example(output="八点", answers=("国家图书馆",), language="zh"),
    ),
)
def numeric_wrong_value(case: Case) -> Found | None:
    """Every accepted answer is a number, the output gives one, and it equals none of them.

    The detail says how it differs: sign, scale, off by one, rounding (under 1 %), transposed digits, or
    that it is a number copied from the question.
    """
    item, text = case.variant.item, output_text(case)
    if item.target is None or not item.target.answers or text is None or refusal(case):
        return None
    golds = [whole_number(answer) for answer in item.target.answers]
    known = [gold for gold in golds if gold is not None]
    given = final_number(text)
    if given is None or not known or len(known) < len(golds):
        return None
    if any(same_number(given, gold) for gold in known):
        return None
    detail = how_it_differs(given, known[0])
    question = item.prompt.question
    if detail is None and question is not None and given in numbers_in(question.text):
        detail = "number of the question"
    return Found(detail)
