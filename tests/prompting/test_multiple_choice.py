"""Reading an option from generated text."""

from __future__ import annotations

import pytest

from harness.core.items import Item, Prompt, Target, Text
from harness.core.variants import source_variant
from harness.prompting.multiple_choice import read_text

OPTIONS = ("a museum", "a school", "a bank")
ITEM = Item(
    language="en", prompt=Prompt(question=Text("What is it?"), options=OPTIONS), target=Target(option=0)
)


# Read by hand: which option a person would say each text names.
@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("B", 1),
        ("(C)", 2),
        ("B. a school", 1),
        ("a bank.", 2),
        ("The answer is B", 1),
        ("First I thought the answer is A, but the answer is C.", 2),
        ("答案是B", 1),
        ("因为有钱，所以选C。", 2),
        ("It must be a bank, I think", 2),
        ("The answer is a school", 1),
        ("The answer is a school.", 1),
        ("the answer is b.", 1),
        ("Answer: c", 2),
        ("The answer is **C**", 2),
        ("ANSWER IS (A)", 0),
    ],
)
def test_an_option_is_read_as_a_person_would(text: str, option: int) -> None:
    assert read_text(source_variant(ITEM), text).option == option


@pytest.mark.parametrize("text", ["A museum or a school", "Z", "I like it", "", "<think>B"])
def test_what_names_no_single_option_is_unparsed(text: str) -> None:
    assert read_text(source_variant(ITEM), text).outcome == "unparsed"
