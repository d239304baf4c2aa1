"""Golden cases of renamed labels, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.items import Demonstration, Item, Label, Prompt, Target, Text
from harness.core.rng import rng_for
from harness.core.variants import Change
from harness.prompting import plain_text, render
from harness.transforms.label_rename import label_rename

EN = (
    Label("pos", ("positive", "good", "fine", "happy")),
    Label("neg", ("negative", "bad", "poor", "unhappy")),
)
ZH = (Label("pos", ("正面", "积极")), Label("neg", ("负面", "消极")))


def _item(labels: tuple[Label, ...] = EN, language: str = "en", **parts: Any) -> Item:
    told = "Say whether it is positive or negative." if language == "en" else "判断是正面还是负面。"
    question = "A positive surprise." if language == "en" else "正面的惊喜。"
    prompt = Prompt(instruction=Text(told), question=Text(question), labels=labels, **parts)
    return Item(language, prompt, Target(label="pos"))


def _one(item: Item, **params: Any) -> Change:
    (change,) = label_rename(item, rng_for(0), **params)
    return change


@pytest.mark.parametrize(
    ("pool", "shown"),
    [("challenge", ("good", "bad")), ("treatment", ("fine", "poor")), ("sealed", ("happy", "unhappy"))],
)
def test_each_pool_shows_its_own_synonyms_and_keeps_the_others_as_accepted(
    pool: Any, shown: tuple[str, str]
) -> None:
    change = _one(_item(), pool=pool)
    labels = change.item.prompt.labels
    assert tuple(label.names[0] for label in labels) == shown
    assert [set(label.names) for label in labels] == [set(label.names) for label in EN]
    assert change.item.prompt.instruction == Text(f"Say whether it is {shown[0]} or {shown[1]}.")
    assert change.item.target == Target(label="pos")
    assert change.answer_map == (("positive", shown[0]), ("negative", shown[1]))


def test_the_text_to_classify_keeps_its_words() -> None:
    assert _one(_item()).item.prompt.question == Text("A positive surprise.")


def test_chinese_labels_are_renamed_in_the_instruction() -> None:
    change = _one(_item(ZH, "zh"))
    assert change.item.prompt.instruction == Text("判断是积极还是消极。")


def test_swapped_names_are_told_once_and_change_places_everywhere() -> None:
    change = _one(_item(ZH, "zh"), names="swapped")
    assert [label.names[0] for label in change.item.prompt.labels] == ["负面", "正面"]
    assert change.item.prompt.instruction == Text(
        "判断是负面还是正面。本题中的类别名称：“负面”表示正面；“正面”表示负面。"
    )


def test_swapped_names_of_three_labels_leave_none_in_its_place() -> None:
    labels = tuple(Label(name, (name,)) for name in ("red", "green", "blue"))
    item = Item("en", Prompt(question=Text("?"), labels=labels), Target(label="red"))
    for seed in range(10):
        (change,) = label_rename(item, rng_for(seed), names="swapped")
        shown = [label.names[0] for label in change.item.prompt.labels]
        assert sorted(shown) == ["blue", "green", "red"]
        assert all(label.names[0] != label.id for label in change.item.prompt.labels)


@pytest.mark.parametrize(("pool", "letter"), [("challenge", "K"), ("treatment", "Q"), ("sealed", "T")])
def test_symbols_are_the_pools_own_and_explained(pool: Any, letter: str) -> None:
    change = _one(_item(), names="symbols", pool=pool)
    shown = [label.names[0] for label in change.item.prompt.labels]
    assert sorted(shown) == [f"{letter}1", f"{letter}2"]
    assert all(
        label.names == (label.names[0],) for label in change.item.prompt.labels
    )  # old names no longer count
    told = change.item.prompt.instruction
    assert told is not None and f'"{shown[0]}" means positive' in told.text
    assert f"Labels: {', '.join(shown)}" in plain_text(render(change.item, task="classification"))


def test_demonstrations_of_every_label_need_no_legend_and_answer_by_the_new_names() -> None:
    shown = (
        Demonstration(Target(label="pos"), Text("Lovely.")),
        Demonstration(Target(answers=("negative",)), Text("Awful.")),
    )
    change = _one(_item(demonstrations=shown), names="swapped")
    assert change.item.prompt.instruction == Text("Say whether it is negative or positive.")
    asked = plain_text(render(change.item, task="classification"))
    assert "Text: Lovely.\nAnswer: negative" in asked and "Text: Awful.\nAnswer: positive" in asked


def test_a_word_that_only_begins_like_a_label_is_not_renamed() -> None:
    prompt = Prompt(instruction=Text("Be positively sure: positive?"), labels=EN)
    change = _one(Item("en", prompt, Target(label="pos")))
    assert change.item.prompt.instruction == Text("Be positively sure: good?")


@pytest.mark.parametrize(
    "labels",
    [
        (),
        EN[:1],
        (Label("a", ("yes",)), Label("b", ("no",))),
        (Label("a", ("x", "y")), Label("b", ("x", "z"))),
    ],
)
def test_labels_without_other_names_give_nothing(labels: tuple[Label, ...]) -> None:
    item = Item("en", Prompt(question=Text("?"), labels=labels), Target(label="a"))
    assert not list(label_rename(item, rng_for(0)))
