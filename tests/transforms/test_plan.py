"""Plans read from a suite, and variants built from them."""

from __future__ import annotations

import json
import re

import pytest

from harness.core.errors import TransformError, UnknownName
from harness.core.items import Item, Passage, Prompt, Target, Text
from harness.transforms.plan import (
    Plan,
    Step,
    apply_chain,
    bind,
    build_variants,
    plan_from_json,
    plan_to_json,
)

KEY = Passage("The museum closes at nine.", key=True)
OTHERS = (Passage("The bus was late again."), Passage("It rained all week."), Passage("The cafe sells tea."))


def _item(question: str = "When does the museum close?", *, n_others: int = 3) -> Item:
    return Item(
        language="en",
        prompt=Prompt(
            instruction=Text("Answer from the passage."),
            context=(KEY, *OTHERS[:n_others]),
            question=Text(question),
        ),
        target=Target(answers=("nine",)),
    )


ROTATION = [{"context_rotation": {"positions": [0, 0.25, 0.5, 0.75, 1]}}]


def test_source_comes_first_and_positions_that_share_a_slot_merge() -> None:
    built = build_variants([_item(n_others=2)], plan_from_json(ROTATION), seed=0)
    # By hand: two other passages make the slots 0, 1, 2; half up, .25 -> 1 and .75 -> 2, so three remain.
    found = [(variant.transform, variant.level.position) for variant in built.variants]
    assert found == [("source", None), *(("context_rotation", slot) for slot in (0.0, 0.5, 1.0))]
    assert [variant.item.prompt.context.index(KEY) for variant in built.variants] == [0, 0, 1, 2]


def test_the_position_stored_is_the_one_realised() -> None:
    built = build_variants(
        [_item(n_others=3)], plan_from_json([{"context_rotation": {"positions": [0.4]}}]), seed=0
    )
    # By hand: .4 of three slots is 1.2, so slot 1 of 3.
    assert built.variants[1].level.position == pytest.approx(1 / 3)


def test_a_variant_is_the_same_whatever_its_neighbours_and_their_order() -> None:
    items = [_item(f"When does museum number {name} close?") for name in ("red", "green", "blue")]
    plan = plan_from_json([*ROTATION, {"component_order": {"sampled": 3}}])
    together = {variant.variant_id: variant for variant in build_variants(items, plan, seed=7).variants}
    alone = [variant for item in reversed(items) for variant in build_variants([item], plan, seed=7).variants]
    assert {variant.variant_id: variant for variant in alone} == together


def test_a_chain_carries_levels_and_parameters_of_all_its_steps() -> None:
    chain = [{"context_rotation": {"positions": [1]}}, {"component_order": {"orders": ["question-first"]}}]
    built = build_variants([_item()], plan_from_json([{"chain": chain}]), seed=0)
    last = built.variants[-1]
    assert last.transform == "context_rotation > component_order"
    assert (last.family, last.level.position, last.level.name) == ("order", 1.0, "question-first")
    assert last.item.prompt.context[-1] == KEY and last.item.prompt.order[0] == "question"
    assert json.loads(last.params) == [{"positions": [1.0]}, {"orders": ["question-first"], "sampled": 0}]
    assert [edit.part for edit in last.edits] == ["context", "order"]


def test_an_item_without_the_part_is_counted_and_gives_only_its_source() -> None:
    bare = Item(language="en", prompt=Prompt(question=Text("Why?")))
    built = build_variants([_item(), bare], plan_from_json(ROTATION), seed=0)
    assert [variant.transform for variant in built.variants if variant.item_id == bare.item_id] == ["source"]
    (rejected,) = built.rejected
    assert rejected.item_id == bare.item_id and rejected.reason.startswith("no context to rotate")


def test_a_plan_that_changes_no_item_at_all_is_an_error_that_says_why() -> None:
    bare = Item(language="en", prompt=Prompt(question=Text("Why?")))
    with pytest.raises(TransformError, match=r"changed none of 1 items: no context to rotate.*\(1\)"):
        build_variants([bare], plan_from_json(ROTATION), seed=0)
    assert len(build_variants([bare], plan_from_json(ROTATION), seed=0, allow_unchanged=True).variants) == 1


def test_a_plan_survives_its_round_trip() -> None:
    written = [
        "context_rotation",
        {"context_rotation": {"positions": [0, 1]}, "draws": 2},
        {"chain": [{"context_rotation": {}}, "component_order"]},
    ]
    plan = plan_from_json(written)
    assert plan_from_json(plan_to_json(plan)) == plan
    assert plan.draws == (1, 2, 1)


def test_another_pool_has_other_variant_ids() -> None:
    plan = Plan(((Step("component_order"),),))
    ids = [
        {variant.variant_id for variant in build_variants([_item()], plan, seed=0, pool=pool).variants[1:]}
        for pool in ("challenge", "treatment", "sealed")
    ]
    assert not ids[0] & ids[1] and not ids[0] & ids[2] and not ids[1] & ids[2]


def test_the_same_line_written_twice_counts_once() -> None:
    once = build_variants([_item()], plan_from_json(ROTATION), seed=0)
    assert build_variants([_item()], plan_from_json(ROTATION * 2), seed=0).variants == once.variants


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("typo", "write a list"),
        ([3], "variants[0] is 3"),
        ([{"context_rotation": {"postions": [0]}}], "no parameter 'postions'. Did you mean 'positions'?"),
        ([{"context_rotation": {"positions": [0, 2]}}], "positions is [0, 2]; allowed is 0 to 1."),
        ([{"context_rotation": {"positions": "0"}}], "positions is '0'; allowed is a list."),
        ([{"context_rotation": {"positions": [True]}}], "allowed is a number"),
        ([{"context_rotation": {"positions": []}}], "allowed is 1 to 100 entries"),
        ([{"component_order": {"sampled": 1.5}}], "allowed is a whole number"),
        ([{"context_rotation": {}, "draws": 0}], "draws is 0"),
        ([{"chain": []}], "chain is []"),
        ([{"chain": ["component_order"], "context_rotation": {}}], "cannot stand beside 'chain'"),
        ([{"context_rotation": {}, "component_order": {}}], "each its own line"),
    ],
)
def test_a_fault_in_a_plan_is_named(written: object, told: str) -> None:
    with pytest.raises(TransformError, match=re.escape(told)):
        plan_from_json(written)


def test_an_unknown_transform_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'context_rotation'"):
        plan_from_json(["context_rotate"])


def test_an_unknown_pool_and_an_order_of_another_pool_are_refused() -> None:
    with pytest.raises(TransformError, match="No pool named 'test'"):
        apply_chain(_item(), bind([Step("component_order")]), seed=0, pool="test")  # type: ignore[arg-type]
    chain = bind([Step("component_order", {"orders": ["question-first"]})])
    with pytest.raises(TransformError, match="the pool 'sealed' holds no order named 'question-first'"):
        apply_chain(_item(), chain, seed=0, pool="sealed")


def test_a_sweep_stands_for_one_entry_per_combination() -> None:
    swept = plan_from_json(
        [{"sweep": "typo", "over": {"severity": [0.02, 0.1], "kinds": [["drop"], ["swap"]]}}]
    )
    # By hand: two severities times two kinds.
    found = [(chain[0].params["severity"], tuple(chain[0].params["kinds"])) for chain in swept.steps]
    assert found == [(0.02, ("drop",)), (0.02, ("swap",)), (0.1, ("drop",)), (0.1, ("swap",))]
    assert plan_from_json(plan_to_json(swept)) == swept


def test_a_repeat_is_a_chain_of_equal_steps_and_adds_their_doses() -> None:
    repeated = plan_from_json([{"repeat": {"typo": {"severity": 0.05, "kinds": ["drop"]}}, "times": 3}])
    assert repeated == plan_from_json([{"chain": [{"typo": {"severity": 0.05, "kinds": ["drop"]}}] * 3}])
    (variant,) = build_variants([_item()], repeated, seed=0).variants[1:]
    whole = sum(len(part.text) for part in (KEY, *OTHERS)) + len("When does the museum close?")
    left = sum(len(one.text) for one in variant.item.prompt.context)
    left += len(variant.item.prompt.question.text)  # type: ignore[union-attr]
    assert whole - left == len(variant.edits) and variant.transform == "typo > typo > typo"


def test_a_choice_draws_one_transform_for_each_item_and_says_which() -> None:
    chosen = plan_from_json([{"choose": ["typo", {"spacing": {"severity": 0.1}}]}])
    items = [
        _item(f"When does the {name} museum close?") for name in "red green blue grey pink brown".split()
    ]
    built = build_variants(items, chosen, seed=1).variants
    made = [variant for variant in built if variant.transform != "source"]
    assert {variant.transform for variant in made} == {"choose(typo, spacing)"}
    assert {variant.level.name for variant in made} == {"typo", "spacing"}
    alone = [build_variants([item], chosen, seed=1).variants[1] for item in reversed(items)]
    assert {one.variant_id: one for one in alone} == {one.variant_id: one for one in made}
    assert plan_from_json(plan_to_json(chosen)) == chosen


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"sweep": "typo"}, "over is None; write {parameter: [values]}"),
        ({"sweep": "typo", "over": {"severity": 0.1}}, "over.severity is 0.1; write a list"),
        ({"sweep": "typo", "over": {"severity": [0.1]}, "draw": 2}, "'draw' cannot stand beside 'sweep'"),
        ({"sweep": "typo", "over": {"severity": [2]}}, "severity is 2; allowed is 0 to 1"),
        ({"repeat": "typo", "times": 0}, "times is 0; allowed is a whole number, 1 to 20"),
        ({"choose": ["typo"]}, "write a list of at least two"),
        ({"choose": ["typo", {"choose": ["typo", "spacing"]}]}, "choose stands inside choose"),
    ],
)
def test_a_fault_in_the_algebra_is_named(written: object, told: str) -> None:
    with pytest.raises(TransformError, match=re.escape(told)):
        plan_from_json([written])
