"""Prompts hold every part of an item, and answers are read whatever a model writes."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.core.exchange import (
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    Generated,
    Generation,
    OptionScore,
    ScoreText,
)
from harness.core.items import (
    Demonstration,
    Item,
    Label,
    OutputSpec,
    Passage,
    Prompt,
    Target,
    TaskShape,
    Text,
    Turn,
)
from harness.core.scores import OUTCOMES
from harness.core.variants import source_variant
from harness.prompting import Asking, plain_text, read, request
from harness.prompting.asking import Reading
from harness.prompting.render import answer_text, option_letter, render
from tests.core.drawn_items import items

LABELS = (Label("pos", ("positive", "good")), Label("neg", ("negative", "not good")))
FULL = Prompt(
    system=Text("SYSTEM"),
    instruction=Text("INSTRUCTION"),
    demonstrations=(Demonstration(Target(label="neg"), Text("SHOWN"), (Passage("SHOWN CONTEXT"),)),),
    context=(Passage("PASSAGE ONE", source="S1"), Passage("PASSAGE TWO")),
    question=Text("QUESTION"),
    options=("OPTION ONE", "OPTION TWO"),
    labels=LABELS,
    output=OutputSpec(fields=(("name", "text"), ("age", "number"))),
)
# Written by hand from the wordings.
ENGLISH = """\
SYSTEM

INSTRUCTION

Labels: positive, negative

Answer as JSON with the fields "name" (text), "age" (number).

Passage:
SHOWN CONTEXT
Question: SHOWN
Answer: negative

Passage:
[S1] PASSAGE ONE
PASSAGE TWO

Question: QUESTION

A. OPTION ONE
B. OPTION TWO

Answer:"""
CHINESE = """\
SYSTEM

INSTRUCTION

类别：positive、negative

用JSON回答，字段："name" (text)、"age" (number)。

短文：
SHOWN CONTEXT
问题：SHOWN
答案：negative

短文：
[S1] PASSAGE ONE
PASSAGE TWO

问题：QUESTION

A. OPTION ONE
B. OPTION TWO

答案："""


@pytest.mark.parametrize(
    ("language", "expected"), [("en", ENGLISH), ("fr", ENGLISH), ("zh", CHINESE), ("zh-TW", CHINESE)]
)
def test_a_full_prompt_is_laid_out_in_its_languages_words(language: str, expected: str) -> None:
    made = render(Item(language=language, prompt=FULL), task="short_answer")
    assert plain_text(made) == expected
    assert made.messages[0].role == "system"
    assert made.joiner == ("" if language.startswith("zh") else " ")


@given(items)
def test_every_visible_part_stands_in_the_prompt_in_the_items_order(item: Item) -> None:
    prompt = Prompt(
        instruction=item.prompt.instruction, context=item.prompt.context, question=item.prompt.question,
        order=item.prompt.order,
    )  # fmt: skip
    made = plain_text(render(Item(language=item.language, prompt=prompt), task="short_answer"))
    parts = {
        "instruction": prompt.instruction.text if prompt.instruction else None,
        "context": prompt.context[-1].text if prompt.context else None,
        "question": prompt.question.text if prompt.question else None,
    }
    for part in parts.values():
        assert part is None or part in made


def test_options_are_listed_only_where_they_are_read_from_the_prompt() -> None:
    item = Item("en", Prompt(question=Text("Which?"), options=("ONE", "TWO")), Target(option=1))
    variant = source_variant(item)
    asked = {
        by: request(variant, Asking("multiple_choice", reading=Reading(by=by)))  # type: ignore[arg-type]
        for by in ("option_text", "letter", "generation")
    }
    assert isinstance(asked["option_text"], Choose)
    assert isinstance(asked["letter"], Choose)
    assert (asked["option_text"].options, asked["letter"].options) == (("ONE", "TWO"), ("A", "B"))
    listed = {by: "A. ONE" in str(made.prompt) for by, made in asked.items()}  # type: ignore[union-attr]
    assert listed == {"option_text": False, "letter": True, "generation": True}
    assert isinstance(asked["generation"], Generate)


@pytest.mark.parametrize(
    ("task", "prompt", "message"),
    [
        ("multiple_choice", Prompt(options=("one",)), "has 1 option"),
        ("classification", Prompt(labels=LABELS[:1]), "has 1 label"),
        ("likelihood", Prompt(), "needs a non-empty `text`"),
        (
            "conversation",
            Prompt(turns=(Turn("assistant", "Hi"),)),
            "must end with a turn whose role is 'user'",
        ),
    ],
)
def test_an_item_that_cannot_be_asked_is_told(task: TaskShape, prompt: Prompt, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        request(source_variant(Item("en", prompt)), Asking(task))


def test_turns_are_messages_and_the_body_leads_the_first_of_the_user() -> None:
    prompt = Prompt(
        instruction=Text("Be kind."),
        turns=(Turn("user", "Hi"), Turn("assistant", "Hello"), Turn("user", "Bye")),
    )
    made = render(Item("en", prompt), task="conversation")
    assert [(message.role, message.content) for message in made.messages] == [
        ("user", "Be kind.\n\nHi"),
        ("assistant", "Hello"),
        ("user", "Bye"),
    ]
    assert plain_text(made).endswith("User: Bye\n\nAssistant:")


@given(st.integers(0, 200), st.integers(0, 200))
def test_option_letters_are_distinct(one: int, two: int) -> None:
    assert (option_letter(one) == option_letter(two)) == (one == two)


ITEMS: dict[TaskShape, Item] = {
    "multiple_choice": Item("en", Prompt(question=Text("?"), options=("red", "blue")), Target(option=1)),
    "classification": Item("en", Prompt(question=Text("?"), labels=LABELS), Target(label="neg")),
    "extraction": Item(
        "en",
        Prompt(question=Text("?"), output=OutputSpec(fields=(("a", "text"),))),
        Target(fields=(("a", "b"),)),
    ),
    "short_answer": Item("en", Prompt(question=Text("?")), Target(answers=("nine",))),
    "free_text": Item("en", Prompt(question=Text("?")), Target(references=("A text.",))),
    "conversation": Item("en", Prompt(turns=(Turn("user", "?"),)), Target(answers=("nine",))),
}


def generated(task: TaskShape, text: str) -> object:
    asking = Asking(task, reading=Reading(by="generation"))
    return read(source_variant(ITEMS[task]), Generated((Generation(text, "eos", 1),)), asking)


@pytest.mark.parametrize("task", ITEMS)
@given(text=st.text(max_size=200) | st.from_regex(r"(<think>|</think>|[{}\[\]\":,AB]|answer is |选){0,12}"))
def test_any_text_is_read_or_told_why_not(task: TaskShape, text: str) -> None:
    prediction = generated(task, text)
    assert prediction.outcome in OUTCOMES  # type: ignore[attr-defined]
    assert (prediction.outcome == "scored") == (prediction.reason is None)  # type: ignore[attr-defined]


@pytest.mark.parametrize("task", ITEMS)
def test_the_right_answer_is_read_as_given(task: TaskShape) -> None:
    item = ITEMS[task]
    assert item.target is not None
    prediction = generated(task, answer_text(item.target, item.prompt, by_letter=False))
    assert prediction.outcome == "scored"  # type: ignore[attr-defined]
    if item.target.label is not None:
        assert prediction.label == item.target.label  # type: ignore[attr-defined]
    if item.target.option is not None:
        assert prediction.option == item.target.option  # type: ignore[attr-defined]
    if item.target.fields:
        assert prediction.fields == item.target.fields  # type: ignore[attr-defined]


# Read by hand: which label a person would say each text names.
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("positive", "pos"),
        ("Positive.", "pos"),
        ("It is not good", "neg"),
        ("<think>negative?</think>positive", "pos"),
        ("positive or negative", None),
        ("neutral", None),
        ("<think>positive", None),
        ("", None),
    ],
)
def test_a_label_is_read_as_a_person_would(text: str, label: str | None) -> None:
    assert generated("classification", text).label == label  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('{"a": "b"}', "scored"),
        (' {"a": "b"}\n', "scored"),
        ('Sure: {"a": "b"}', "unparsed"),
        ('{"a": "b", "a": "c"}', "unparsed"),
        ('{"a": NaN}', "unparsed"),
        ('{"a": ["b"]}', "unparsed"),
        ('["a"]', "unparsed"),
        ('{"a": "b"', "unparsed"),
        ("[" * 100_000, "unparsed"),
    ],
)
def test_a_record_is_read_strictly(text: str, outcome: str) -> None:
    assert generated("extraction", text).outcome == outcome  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("nine", "scored"),
        ("I don't know.", "abstained"),
        ("我不知道", "abstained"),
        ("  ", "unparsed"),
        ("<think>", "unparsed"),
    ],
)
def test_a_short_answer_is_read_declined_or_empty(text: str, outcome: str) -> None:
    assert generated("short_answer", text).outcome == outcome  # type: ignore[attr-defined]


def test_declining_is_right_where_it_is_accepted() -> None:
    item = Item("en", Prompt(question=Text("?")), Target(answers=("I don't know",)))
    answer = Generated((Generation("I do not know", "eos", 4),))
    assert read(source_variant(item), answer, Asking("short_answer")).outcome == "scored"


@given(
    st.lists(st.floats(-50, -0.01), min_size=2, max_size=2),
    st.sampled_from(["none", "tokens", "characters", "bytes"]),
)
def test_the_likeliest_option_wins_after_its_length_is_taken_out(values: list[float], normalise: str) -> None:
    lengths = {"none": (1, 1), "tokens": (2, 5), "characters": (3, 4), "bytes": (3, 4)}[normalise]
    answer = Chosen((OptionScore(values[0], 2), OptionScore(values[1], 5)))
    asking = Asking("multiple_choice", reading=Reading(normalise=normalise))  # type: ignore[arg-type]
    per_unit = [value / length for value, length in zip(values, lengths, strict=True)]
    expected = 0 if per_unit[0] >= per_unit[1] else 1  # the first of equals
    assert read(source_variant(ITEMS["multiple_choice"]), answer, asking).option == expected


@pytest.mark.parametrize("task", get_args(TaskShape))
def test_a_systems_failure_is_failed_in_every_task(task: TaskShape) -> None:
    item = ITEMS.get(task, Item("en", Prompt(text=Text("text"))))
    prediction = read(source_variant(item), BackendFailure("server", "503"), Asking(task))
    assert (prediction.outcome, prediction.reason) == ("failed", "server: 503")


def test_a_text_is_scored_as_it_stands() -> None:
    made = request(source_variant(Item("en", Prompt(text=Text(" The text.\n")))), Asking("likelihood"))
    assert isinstance(made, ScoreText)
    assert made.text == " The text.\n"
