"""Golden cases of the transforms that move parts, worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from harness.core.items import (
    Demonstration,
    Item,
    Label,
    OutputSpec,
    Passage,
    Prompt,
    Target,
    Text,
)
from harness.core.rng import rng_for
from harness.core.variants import Change
from harness.transforms.component_order import component_order
from harness.transforms.context_rotation import context_rotation
from harness.transforms.demonstration_order import demonstration_order
from harness.transforms.option_order import option_order


def _rng() -> Any:
    return rng_for(0, "golden")


def _context(letters: str) -> Item:
    """Passages named by letters; capitals are key."""
    passages = tuple(Passage(letter, key=letter.isupper()) for letter in letters)
    return Item("en", Prompt(context=passages), Target(answers=("x",)))


def _orders(changes: Iterable[Change]) -> list[tuple[str, float | None]]:
    return [
        ("".join(passage.text for passage in change.item.prompt.context), change.level.position)
        for change in changes
    ]


@pytest.mark.parametrize(
    ("letters", "positions", "expected"),
    [
        ("Kabcd", (0, 0.5, 1), [("Kabcd", 0.0), ("abKcd", 0.5), ("abcdK", 1.0)]),
        ("abcdK", (0.25, 0.75), [("aKbcd", 0.25), ("abcKd", 0.75)]),
        ("aKbLc", (0, 1), [("KLabc", 0.0), ("abcKL", 1.0)]),  # several key passages travel together
        ("Ka", (0, 0.25, 0.5, 0.75, 1), [("Ka", 0.0), ("aK", 1.0)]),  # half goes up
        ("Ka", (0.5,), [("aK", 1.0)]),
        ("abc", (0, 1), []),
        ("KL", (0, 1), []),
        ("", (0, 1), []),
    ],
)
def test_the_key_passage_stands_where_it_was_asked_to(
    letters: str, positions: tuple[float, ...], expected: list[tuple[str, float]]
) -> None:
    assert _orders(context_rotation(_context(letters), _rng(), positions=positions)) == expected


def test_chinese_passages_rotate_like_english_ones() -> None:
    passages = (Passage("九点关门。", key=True), Passage("下雨了。"), Passage("车来了。"))
    item = Item("zh", Prompt(context=passages, question=Text("几点关门？")), Target(answers=("九点",)))
    found = _orders(context_rotation(item, _rng(), positions=(1,)))
    assert found == [("下雨了。车来了。九点关门。", 1.0)]


def _full(language: str = "en") -> Item:
    return Item(
        language,
        Prompt(
            instruction=Text("Answer."),
            demonstrations=(Demonstration(Target(answers=("a",)), Text("q")),),
            context=(Passage("c"),),
            question=Text("Why?"),
            output=OutputSpec("json", (("a", "string"),)),
        ),
    )


@pytest.mark.parametrize(
    ("pool", "name", "expected"),
    [
        ("challenge", "question-first", "question instruction output demonstrations context"),
        ("challenge", "context-first", "context instruction output demonstrations question"),
        ("challenge", "instruction-last", "output demonstrations context question instruction"),
        ("treatment", "rules-last", "demonstrations context question instruction output"),
        ("sealed", "labels-last", "instruction demonstrations context question output"),
    ],
)
def test_a_named_order_lays_the_components_out_as_its_name_says(pool: Any, name: str, expected: str) -> None:
    (_, change) = component_order(_full(), _rng(), orders=(name,), pool=pool)
    there = {"instruction", "output", "demonstrations", "context", "question"}
    assert [part for part in change.item.prompt.order if part in there] == expected.split()
    assert change.level.name == name


def test_orders_that_look_alike_on_an_items_components_merge() -> None:
    item = Item("zh", Prompt(instruction=Text("回答。"), question=Text("为什么？")))
    # By hand: two components have two orders.
    names = [change.level.name for change in component_order(item, _rng())]
    assert names == ["usual", "question-first"]


def test_a_prompt_of_one_component_has_no_other_order() -> None:
    assert not list(component_order(Item("en", Prompt(question=Text("Why?"))), _rng(), sampled=3))


def test_sampled_orders_differ_from_each_other_and_from_the_usual() -> None:
    orders = [change.item.prompt.order for change in component_order(_full(), _rng(), sampled=6)]
    assert len(set(orders)) == len(orders) > 2


@pytest.mark.parametrize(("n", "expected"), [(0, 0), (1, 0), (2, 2), (3, 6), (4, 24), (5, 24)])
def test_demonstrations_take_every_order_up_to_the_limit(n: int, expected: int) -> None:
    shown = tuple(Demonstration(Target(answers=(str(at),)), Text(f"第{at}题")) for at in range(n))
    changes = list(demonstration_order(Item("zh", Prompt(demonstrations=shown)), _rng()))
    # Closed form: n! orders, cut at 24.
    assert len(changes) == len({change.item.prompt.demonstrations for change in changes}) == expected
    assert not changes or changes[0].item.prompt.demonstrations == shown


def _choice(options: Sequence[str], right: int = 0, language: str = "en") -> Item:
    return Item(language, Prompt(question=Text("?"), options=tuple(options)), Target(option=right))


def _shown(changes: Iterable[Change]) -> list[tuple[str, int | None]]:
    return [
        (" ".join(change.item.prompt.options), change.item.target.option if change.item.target else None)
        for change in changes
    ]


def test_cyclic_order_puts_every_option_once_on_every_place() -> None:
    assert _shown(option_order(_choice("abc", 1), _rng())) == [("a b c", 1), ("b c a", 0), ("c a b", 2)]


def test_reverse_order_turns_the_list_round() -> None:
    assert _shown(option_order(_choice("abc", 0), _rng(), how="reverse")) == [("a b c", 0), ("c b a", 2)]


def test_all_orders_of_four_options_are_twenty_four() -> None:
    found = _shown(option_order(_choice("abcd", 2), _rng(), how="all"))
    assert len(set(found)) == 24 and all(order.split()[right or 0] == "c" for order, right in found)


@pytest.mark.parametrize(
    ("language", "fixed"),
    [
        ("en", "All of the above"),
        ("en", "none of these."),
        ("en", "Neither of the above"),
        ("zh", "以上都是"),
        ("zh", "以上皆非"),
        ("zh", "上述说法都不对"),
    ],
)
def test_an_option_about_all_the_others_keeps_its_place(language: str, fixed: str) -> None:
    found = option_order(_choice(["red", "blue", fixed], 2, language), _rng())
    assert _shown(found) == [(f"red blue {fixed}", 2), (f"blue red {fixed}", 2)]


@pytest.mark.parametrize(
    "naming", ["Both A and C", "A or B", "A和C", "选项A", "(a) and (b)", "Neither B nor C"]
)
def test_options_that_name_each_other_by_letter_do_not_move(naming: str) -> None:
    assert not list(option_order(_choice(["red", "blue", naming]), _rng()))


@pytest.mark.parametrize("plain", ["A big dog", "Anna and Ben", "1 and 3 only", "vitamin A", "All of France"])
def test_options_that_only_look_so_do_move(plain: str) -> None:
    assert len(list(option_order(_choice(["red", plain]), _rng()))) == 2


def test_the_answer_map_leads_from_old_places_to_new() -> None:
    (_, second, _) = option_order(_choice("abc", 1), _rng())
    # By hand: a b c -> b c a, so a (0) goes to 2, b (1) to 0, c (2) to 1.
    assert dict(second.answer_map) == {"0": "2", "1": "0", "2": "1"}


def test_demonstrations_that_answer_by_index_follow_the_options() -> None:
    shown = (
        Demonstration(Target(option=0), Text("own")),
        Demonstration(Target(option=0), Text("other"), options=("x", "y")),
    )
    item = Item("en", Prompt(demonstrations=shown, options=("a", "b")), Target(option=1))
    (_, change) = option_order(item, _rng())
    assert [one.answer.option for one in change.item.prompt.demonstrations] == [1, 0]
    assert change.item.target == Target(option=0)


def test_labels_do_not_count_as_options() -> None:
    item = Item("en", Prompt(labels=(Label("a", ("a",)), Label("b", ("b",)))), Target(label="a"))
    assert not list(option_order(item, _rng()))
