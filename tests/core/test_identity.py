"""Identity is content: what is asked decides an id, and nothing else does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.codec import item_from_json, item_to_json
from harness.core.digest import canonical_json, digest, digest_of_ids
from harness.core.exchange import Conversation, Message
from harness.core.items import Item, OutputSpec, Prompt, Target, Text
from harness.core.rng import rng_for
from harness.core.rows import MetricFacts
from harness.core.variants import Level, Variant
from tests.core.drawn_items import items

ITEM = Item(language="en", prompt=Prompt(question=Text("2 + 2?")), target=Target(answers=("4",)))


@given(items)
def test_an_item_survives_json(item: Item) -> None:
    text = canonical_json(item_to_json(item), sort_keys=False)
    back = item_from_json(json.loads(text))
    assert back == item
    assert (back.item_id, back.target_id) == (item.item_id, item.target_id)


@given(items, items)
def test_two_items_of_unequal_language_or_prompt_have_unequal_ids(one: Item, two: Item) -> None:
    plain = [replace(item, identity=None) for item in (one, two)]
    is_same = (one.language, one.prompt) == (two.language, two.prompt)
    assert (plain[0].item_id == plain[1].item_id) == is_same


@given(items)
def test_target_and_tags_are_no_part_of_an_items_id(item: Item) -> None:
    other = replace(item, target=Target(answers=("another",)), tags=(("a", "b"),))
    assert other.item_id == item.item_id


def test_the_order_of_asked_fields_is_part_of_the_question() -> None:
    one = Item("en", Prompt(output=OutputSpec(fields=(("a", "text"), ("b", "text")))))
    two = Item("en", Prompt(output=OutputSpec(fields=(("b", "text"), ("a", "text")))))
    assert one.item_id != two.item_id


@pytest.mark.parametrize(
    "change",
    [
        {"transform": "typo"},
        {"params": '{"severity":0.1}'},
        {"draw": 1},
        {"level": Level(position=0.5)},
        {"level": Level(name="last")},
    ],
)
def test_chain_parameters_draw_and_level_make_a_variant(change: dict[str, object]) -> None:
    plain = Variant(ITEM, ITEM.item_id)
    assert replace(plain, **change).variant_id != plain.variant_id  # type: ignore[arg-type]


def test_equal_messages_with_another_cue_are_another_prompt() -> None:
    messages = (Message("user", "Hi"),)
    ids = {Conversation(messages, cue, joiner).prompt_id for cue in ("A:", "B:") for joiner in ("", " ")}
    assert len(ids) == 4


def test_parts_cannot_run_into_each_other() -> None:
    assert digest("k", "ab", "c") != digest("k", "a", "bc")
    assert digest("k", ["a"], "b") != digest("k", "a", ["b"])


@given(st.lists(st.text(max_size=5)), st.randoms())
def test_a_set_of_ids_has_one_digest_whatever_its_order(ids: list[str], random: object) -> None:
    turned = sorted(ids, reverse=True)
    assert digest_of_ids("k", ids) == digest_of_ids("k", turned)


def test_nan_has_no_digest() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest("k", float("nan"))


def test_an_id_is_the_same_in_another_process_whatever_its_hash_seed() -> None:
    code = (
        "from harness.core.items import *; from harness.core.rng import rng_for;"
        "item = Item(language='en', prompt=Prompt(question=Text('2 + 2?')));"
        "print(item.item_id, rng_for(1, item.item_id).random())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert texts == {f"{ITEM.item_id} {rng_for(1, ITEM.item_id).random()}\n"}


# The generator


@given(st.integers(), st.lists(st.integers(), max_size=20))
def test_a_shuffle_keeps_every_value(seed: int, values: list[int]) -> None:
    assert Counter(rng_for(seed, "x").shuffled(values)) == Counter(values)


@given(st.integers(), st.integers(1, 50))
def test_an_integer_is_below_its_stop(seed: int, stop: int) -> None:
    rng = rng_for(seed, "x")
    assert all(0 <= rng.integer(stop) < stop for _ in range(20))


@settings(max_examples=3)
@given(st.integers())
def test_every_order_of_three_is_about_as_frequent(seed: int) -> None:
    rng = rng_for(seed, "orders")
    counts = Counter(tuple(rng.shuffled("abc")) for _ in range(1200))
    # Chi-square with 5 degrees of freedom: 30 is passed with p = 1.5e-5.
    assert len(counts) == 6
    assert sum((count - 200) ** 2 / 200 for count in counts.values()) < 30


def test_a_generator_depends_on_every_name_it_has() -> None:
    draws = {rng_for(seed, *names).random() for seed in (0, 1) for names in (("a", "b"), ("ab",), ("a",))}
    assert len(draws) == 6


# Right and wrong


@pytest.mark.parametrize(
    ("fact", "value", "expected"),
    [
        (MetricFacts("m", pass_at=0.5), 0.5, True),
        (MetricFacts("m", pass_at=0.5), 0.4, False),
        (MetricFacts("m", direction="lower", pass_at=0.5), 0.4, True),
        (MetricFacts("m", direction="lower", pass_at=0.5), 0.6, False),
        (MetricFacts("m"), 1.0, None),
    ],
)
def test_right_is_on_the_metrics_better_side(fact: MetricFacts, value: float, expected: bool | None) -> None:
    assert fact.is_right(value) is expected
