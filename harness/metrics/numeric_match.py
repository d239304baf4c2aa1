"""Whether the number that the answer ends on is the right one."""

from __future__ import annotations

from harness.core.items import Item, Target
from harness.core.scores import Case
from harness.metrics.declare import metric
from harness.metrics.read_number import final_number, same_number


def _unfit(item: Item) -> str | None:
    answers = () if item.target is None else (*item.target.answers, *item.target.references)
    if any(final_number(answer) is not None for answer in answers):
        return None
    return f"no accepted answer holds a number ({', '.join(map(repr, answers[:3]))}); use 'exact_match'."


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    binary=True,
    pass_at=1.0,
    shapes={"short_answer", "free_text", "conversation"},
    target={"answers", "references"},
    unfit=_unfit,
)
def numeric_match(case: Case) -> float:
    """1.0 where the answer's final number equals the number of any accepted answer, else 0.0.

    Reads digits (full-width, thousands separators, fractions, exponents, 3万, 5 million), Chinese numerals,
    and English words where no digits stand. Units are ignored; "50%" equals 50 and 0.5. Whole numbers must
    be equal, others within one part in a million.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> numeric_match(example_case(Example(output="共三百二十元", answers=("320",), language="zh")))
        1.0
    """
    target = case.variant.item.target or Target()
    given = final_number(case.prediction.text or "")
    if given is None:
        return 0.0
    accepted = (final_number(answer) for answer in (*target.answers, *target.references))
    return float(any(gold is not None and same_number(given, gold) for gold in accepted))
