"""The challenge sets of the project are what their cards say."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from harness.core.codec import item_to_json
from harness.core.items import Item
from harness.suites import BuiltSuite, describe_suite, list_suites, load_suite, suite_names, validate_suite
from harness.suites import shipped as shipped_module

SETS = ("edge-cases", "key-info-position", "noisy-input", "prompt-reorder")
_NUMERALS = "0-9零〇一二两三四五六七八九十百千万"


@pytest.fixture(scope="module")
def built() -> dict[str, BuiltSuite]:
    return {name: load_suite(name).build() for name in SETS}


def occurs(answer: str, text: str) -> bool:
    """Whether an answer stands in a text as a whole: "3" does not occur in "30", nor "ten" in "listen"."""
    pattern = re.escape(answer.casefold())
    if re.fullmatch(rf"[{_NUMERALS},.]+", answer):
        pattern = rf"(?<![{_NUMERALS}.,]){pattern}(?![{_NUMERALS}]|[.,]\d)"
    elif answer[0].isascii():
        pattern = rf"(?<![a-z0-9.,]){pattern}(?![a-z0-9])"
    return re.search(pattern, text.casefold()) is not None


def test_the_four_sets_are_shipped() -> None:
    assert set(SETS) <= set(suite_names())


@pytest.mark.parametrize("name", suite_names())
def test_a_shipped_set_has_no_findings_its_plan_and_card_included(name: str) -> None:
    assert validate_suite(name) == []


@pytest.mark.parametrize("name", SETS)
def test_a_shipped_set_has_enough_items_half_of_them_chinese(built: dict[str, BuiltSuite], name: str) -> None:
    counts = Counter(item.language for item in built[name].suite.items)
    assert counts["en"] == counts["zh"]
    assert counts.total() >= 60
    assert built[name].n_items == counts.total()


@pytest.mark.parametrize("name", SETS)
def test_difficulties_and_topics_are_spread_alike_over_both_languages(
    built: dict[str, BuiltSuite], name: str
) -> None:
    tags: dict[str, Counter[tuple[tuple[str, str], ...]]] = defaultdict(Counter)
    for item in built[name].suite.items:
        tags[item.language][item.tags] += 1
    assert tags["en"] == tags["zh"]
    difficulties = Counter(item.tag("difficulty") for item in built[name].suite.items)
    assert set(difficulties) == {"easy", "medium", "hard"}
    assert min(difficulties.values()) >= 8


@pytest.mark.parametrize("name", SETS)
def test_every_variant_of_an_item_keeps_its_accepted_answer(built: dict[str, BuiltSuite], name: str) -> None:
    golds = {item.item_id: _gold(item) for item in built[name].suite.items}
    for variant in built[name].variants:
        assert _gold(variant.item) == golds[variant.item_id], variant.transform


def _gold(item: Item) -> object:
    """What is right, by its text: an option's index moves with the option."""
    target = item.target
    assert target is not None
    return item.prompt.options[target.option] if target.option is not None else target


@pytest.mark.parametrize("name", SETS)
def test_no_english_item_holds_chinese(built: dict[str, BuiltSuite], name: str) -> None:
    for item in built[name].suite.items:
        if item.language == "en":
            assert not re.search(r"[\u3000-\u9fff]", json.dumps(item_to_json(item), ensure_ascii=False))


@pytest.mark.parametrize("name", ["noisy-input", "edge-cases"])
def test_labels_are_right_equally_often_within_each_label_set(
    built: dict[str, BuiltSuite], name: str
) -> None:
    counts: dict[tuple[object, ...], Counter[str | None]] = defaultdict(Counter)
    for item in built[name].suite.items:
        assert item.target is not None
        counts[item.language, item.prompt.labels][item.target.label] += 1
    for (_, labels), count in counts.items():
        assert {label.id for label in labels} == set(count)  # type: ignore[attr-defined]
        assert len(set(count.values())) == 1


@pytest.mark.parametrize("name", ["noisy-input", "edge-cases"])
def test_no_text_contains_the_name_of_a_label(built: dict[str, BuiltSuite], name: str) -> None:
    for item in built[name].suite.items:
        texts = [passage.text for passage in item.prompt.context]
        texts.append(item.prompt.question.text if item.prompt.question else "")
        names = [shown for label in item.prompt.labels for shown in label.names]
        assert not [shown for shown in names if shown in "\n".join(texts).casefold()], texts


def test_each_letter_is_right_equally_often(built: dict[str, BuiltSuite]) -> None:
    places = Counter(
        (item.language, item.target.option) for item in built["prompt-reorder"].suite.items if item.target
    )
    assert places == {(language, place): 10 for language in ("en", "zh") for place in range(4)}


def test_no_solved_example_is_asked(built: dict[str, BuiltSuite]) -> None:
    items = built["prompt-reorder"].suite.items
    shown = {shown.question for item in items for shown in item.prompt.demonstrations}
    assert len(shown) == 16
    assert not shown & {item.prompt.question for item in items}
    for item in items:
        assert len({example.question for example in item.prompt.demonstrations}) == 3


def test_the_key_sentence_alone_holds_an_accepted_answer(built: dict[str, BuiltSuite]) -> None:
    for item in built["key-info-position"].suite.items:
        answers = item.target.answers if item.target else ()
        [key] = [passage.text for passage in item.prompt.context if passage.key]
        others = [passage.text for passage in item.prompt.context if not passage.key]
        question = item.prompt.question.text if item.prompt.question else ""
        assert any(occurs(answer, key) for answer in answers), question
        assert not [answer for answer in answers for text in others if occurs(answer, text)], question
        assert not [answer for answer in answers if occurs(answer, question)], question
        assert 5 <= len(item.prompt.context) <= 7


def test_the_key_is_asked_at_both_ends_and_between(built: dict[str, BuiltSuite]) -> None:
    positions: dict[str, set[float]] = defaultdict(set)
    for variant in built["key-info-position"].variants:
        if variant.transform == "context_rotation":
            assert variant.level.position is not None
            positions[variant.item_id].add(variant.level.position)
    assert len(positions) == len(built["key-info-position"].suite.items)
    assert all({0.0, 1.0} < reached and len(reached) == 5 for reached in positions.values())


def test_noise_rises_with_its_severity(built: dict[str, BuiltSuite]) -> None:
    doses: dict[float, list[float]] = defaultdict(list)
    for variant in built["noisy-input"].variants:
        if variant.transform == "typo" and variant.level.dose is not None:
            doses[json.loads(variant.params)["severity"]].append(variant.level.dose)
    means = [sum(values) / len(values) for _, values in sorted(doses.items())]
    assert len(means) == 3
    assert means == sorted(means)


def test_the_list_counts_the_items_that_loading_finds() -> None:
    listed = {summary.name: summary for summary in list_suites()}
    for name in SETS:
        suite = load_suite(name)
        assert (listed[name].n_items, listed[name].version) == (len(suite.items), suite.version)
        assert listed[name].languages == ("en", "zh")


def test_a_description_counts_what_is_asked(built: dict[str, BuiltSuite]) -> None:
    told = describe_suite(built["edge-cases"].suite)
    assert told["items"] == 90
    assert told["variants"] == len(built["edge-cases"].variants)
    assert sum(told["variants_by_transform"].values()) == told["variants"]  # type: ignore[attr-defined]
    assert json.loads(json.dumps(told)) == told


def test_an_installed_package_finds_the_sets_inside_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "harness" / "_shipped" / "challenge_sets"
    shutil.copytree(shipped_module.shipped_folder() / "edge-cases", inside / "edge-cases")
    monkeypatch.setattr(shipped_module, "_PACKAGE", tmp_path / "harness")
    assert shipped_module.suite_names() == ["edge-cases"]
    assert len(load_suite("edge-cases").items) == 90
