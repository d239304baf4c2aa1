"""Single rules against figures by hand and against a slower way of computing them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.examples import Example, example_case
from harness.metrics.read_number import Number
from harness.taxonomy import classify
from harness.taxonomy.lenient import lenient_hit
from harness.taxonomy.numeric_wrong_value import how_it_differs
from harness.taxonomy.repetition_loop import LONGEST_PERIOD, looping_period


def has_loop(units: Sequence[str]) -> bool:
    """The definition, tried out: some period of at most 64 holds three times over at least 12 units at the end."""
    for period in range(1, LONGEST_PERIOD + 1):
        least = max(12, 3 * period)
        tail = units[-least:]
        if len(tail) == least and all(tail[place] == tail[place - period] for place in range(period, least)):
            return True
    return False


@settings(deadline=None)
@given(
    st.text(alphabet="ab", max_size=40),
    st.text(alphabet="abc", min_size=1, max_size=70),
    st.integers(0, 8),
    st.integers(0, 9),
)
def test_a_loop_is_found_exactly_where_the_definition_holds(
    start: str, piece: str, times: int, more: int
) -> None:
    units = start + piece * times + piece[:more]
    assert (looping_period(units) is not None) == has_loop(units)


@pytest.mark.parametrize("period", [1, 2, 7, 64])
def test_the_period_found_is_the_planted_one(period: int) -> None:
    piece = [f"w{place}" for place in range(period)]
    assert looping_period(["start"] + piece * 14) == period


def test_a_period_over_64_is_no_loop() -> None:
    assert looping_period([f"w{place}" for place in range(65)] * 5) is None


@pytest.mark.parametrize(
    ("given_value", "right", "how"),  # by hand
    [
        (-18, 18, "sign"),
        (1800, 18, "scale"),
        (19, 18, "off by one"),
        (1809, 1800, "rounding"),
        (81, 18, "transposed digits"),
        (7, 18, None),
        (5, 0, None),
    ],
)
def test_a_wrong_number_says_how_it_differs(given_value: int, right: int, how: str | None) -> None:
    assert how_it_differs(Number(Fraction(given_value)), Number(Fraction(right))) == how


def test_a_number_copied_from_the_question_is_named() -> None:
    case = example_case(
        Example(question="16 eggs, 3 eaten; how many are left?", output="16", answers=("13",))
    )
    assert dict(classify(case, correct=False).details)["numeric_wrong_value"] == "number of the question"


def test_the_last_announcement_overrules_the_first() -> None:
    item = example_case(Example(options=("3", "4"), option=0)).variant.item
    assert lenient_hit("The answer is A. No, wait: the answer is B.", item) is None
    assert lenient_hit("The answer is B. No, wait: the answer is A.", item) == "A."


def test_a_refusal_is_primary_over_the_form_it_did_not_attempt() -> None:
    case = example_case(
        Example(output="I'm sorry, but I can't assist with that.", fields=(("day", "Monday"),))
    )
    assert classify(case, correct=False).flags == ("refusal",)


def test_an_answer_in_a_fence_is_repairable_and_its_reading_failed() -> None:
    case = example_case(Example(output='```json\n{"day": "Monday"}\n```', fields=(("day", "Monday"),)))
    found = classify(case, correct=False)
    assert found.flags == ("invalid_format", "extraction_failed")
    assert dict(found.details)["invalid_format"] == "repairable"


def test_a_copied_record_is_found() -> None:
    from dataclasses import replace

    from harness.core.items import Demonstration, Target

    case = example_case(Example(output='{"day": "friday"}', fields=(("day", "Monday"),)))
    shown = (Demonstration(answer=Target(fields=(("day", "Friday"),))),)
    item = replace(case.variant.item, prompt=replace(case.variant.item.prompt, demonstrations=shown))
    case = replace(case, variant=replace(case.variant, item=item))
    assert classify(case, correct=False).primary == "copied_demonstration"
