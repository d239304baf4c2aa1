from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import SuiteError, UnknownName, UsageError
from harness.core.items import Item, Prompt, Target, Text
from harness.suites import load_suite, scaffold, suite_names, validate_suite, write_suite
from harness.suites.demonstrations import with_demonstrations
from tests.suites.folders import HEADER, header_with, write_folder

CHOICE = header_with(task="multiple_choice", metrics="[accuracy]", primary="accuracy")


def test_a_folder_loads_as_its_items_with_the_version_as_written(tmp_path: Path) -> None:
    suite = load_suite(write_folder(tmp_path, header=header_with(version="2026.10")))
    assert suite.version == "2026.10"  # not the number 2026.1
    assert [item.target.answers for item in suite.items if item.target] == [("7",), ("12",)]


def test_texts_that_other_yaml_readers_take_for_values_stay_texts(tmp_path: Path) -> None:
    labels = "[no, yes, 12:30]"
    header = header_with(
        task="classification",
        metrics="[accuracy]",
        primary="accuracy",
        labels=labels,
        languages="[no]",
        prompt="{labels: [{id: no, names: [no]}, {id: yes, names: [yes, 1e3x]}, {id: 12:30, names: [noon]}]}",
    )
    item = {"language": "no", "prompt": {"question": "?"}, "target": {"label": "no"}}
    suite = load_suite(write_folder(tmp_path, header=header, items=(item,)))
    assert suite.labels == ("no", "yes", "12:30")


def test_prompt_defaults_of_a_language_stand_under_the_items_own_parts(tmp_path: Path) -> None:
    header = HEADER + "prompt: {en: {instruction: Be brief.}, zh: {instruction: 简短回答。}}\n"
    own = {
        "language": "en",
        "prompt": {"instruction": "Shout.", "question": "Hi?"},
        "target": {"answers": ["HI"]},
    }
    plain = {"language": "en", "prompt": {"question": "Hi?"}, "target": {"answers": ["hi"]}}
    zh = {"language": "zh", "prompt": {"question": "好吗？"}, "target": {"answers": ["好"]}}
    suite = load_suite(write_folder(tmp_path, header=header, items=(own, plain, zh)))
    told = [item.prompt.instruction.text for item in suite.items if item.prompt.instruction]
    assert told == ["Shout.", "Be brief.", "简短回答。"]


def test_a_missing_card_is_a_warning_of_validation_only(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, card=False)
    assert load_suite(folder).name == "tiny"
    [finding] = validate_suite(folder)
    assert (finding.severity, Path(finding.path).name) == ("warning", "CARD.md")


def test_a_byte_order_mark_is_a_warning(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    items = folder / "items.jsonl"
    items.write_bytes(b"\xef\xbb\xbf" + items.read_bytes())
    assert len(load_suite(folder).items) == 2
    assert [finding.severity for finding in validate_suite(folder)] == ["warning"]


def test_a_limit_takes_the_same_items_however_the_file_is_sorted(tmp_path: Path) -> None:
    items = tuple(
        {"language": "en", "prompt": {"question": f"{n} + 0?"}, "target": {"answers": [str(n)]}}
        for n in range(30)
    )
    header = header_with(languages="[en]", smoke="5")
    one = load_suite(write_folder(tmp_path / "one", header=header, items=items))
    two = load_suite(write_folder(tmp_path / "two", header=header, items=items[::-1]))
    picked = [{item.item_id for item in suite.picked(limit=7)} for suite in (one, two)]
    assert picked[0] == picked[1]
    assert len(picked[0]) == 7
    assert picked[0] != {item.item_id for item in one.items[:7]}
    smoke = {item.item_id for item in one.picked(smoke=True)}
    assert len(smoke) == 5
    assert smoke < picked[0]  # a smaller pick lies inside a larger one
    assert one.build().digest == two.build().digest


def test_the_digest_follows_prompts_and_targets(tmp_path: Path) -> None:
    header = header_with(languages="[en]")
    digests = set()
    for place, (question, answer) in enumerate([("2 + 2?", "4"), ("2 + 2?", "four"), ("3 + 1?", "4")]):
        item = {"language": "en", "prompt": {"question": question}, "target": {"answers": [answer]}}
        digests.add(
            load_suite(write_folder(tmp_path / str(place), header=header, items=(item,))).build().digest
        )
    assert len(digests) == 3


def test_building_twice_gives_equal_variants() -> None:
    one, two = (load_suite("noisy-input").build(seed=3, smoke=True) for _ in range(2))
    assert [variant.item for variant in one.variants] == [variant.item for variant in two.variants]
    assert one.digest == two.digest


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(tmp_path: Path, limit: int) -> None:
    suite = load_suite(write_folder(tmp_path))
    with pytest.raises(UsageError, match="at least 1"):
        suite.build(limit=limit)


@pytest.mark.parametrize("name", suite_names())
def test_a_written_suite_loads_as_the_same_suite(tmp_path: Path, name: str) -> None:
    suite = load_suite(name)
    again = load_suite(write_suite(tmp_path / "copy", suite))
    assert again.items == suite.items
    assert again.build(smoke=True).digest == suite.build(smoke=True).digest
    assert (again.asking, again.metrics, again.version) == (suite.asking, suite.metrics, suite.version)


def test_writing_over_files_is_refused(tmp_path: Path) -> None:
    suite = load_suite(write_folder(tmp_path / "mine"))
    with pytest.raises(SuiteError, match="not an empty folder"):
        write_suite(tmp_path / "mine", suite)


@pytest.mark.parametrize(
    "task",
    [
        "multiple_choice",
        "classification",
        "extraction",
        "short_answer",
        "free_text",
        "likelihood",
        "conversation",
    ],
)
def test_a_scaffold_is_a_suite_that_loads_and_builds(tmp_path: Path, task: str) -> None:
    folder = scaffold(tmp_path / f"My {task}", task=task, languages=("zh", "en"))  # type: ignore[arg-type]
    assert validate_suite(folder) == []
    suite = load_suite(folder)
    assert suite.asking.task == task
    assert Counter(item.language for item in suite.items) == {"en": 1, "zh": 1}


def test_a_scaffold_of_an_unknown_task_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'classification'"):
        scaffold(tmp_path / "x", task="clasification")  # type: ignore[arg-type]


@pytest.mark.parametrize("languages", [(), ("EN",), ("en", "en"), ("english language",)])
def test_a_scaffold_of_no_language_tag_is_refused(tmp_path: Path, languages: tuple[str, ...]) -> None:
    with pytest.raises(SuiteError, match="language tags such as"):
        scaffold(tmp_path / "x", languages=languages)
    assert not (tmp_path / "x").exists()


def test_an_unknown_suite_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'edge-cases'"):
        load_suite("edge-case")


def _numbers(n: int) -> tuple[Item, ...]:
    return tuple(
        Item(language="en", prompt=Prompt(question=Text(f"{n}?")), target=Target(answers=(str(n),)))
        for n in range(n)
    )


@given(st.permutations(range(8)), st.integers(0, 7), st.integers(1, 7))
def test_seeded_demonstrations_depend_on_no_order_and_never_show_the_item(
    order: list[int], at: int, k: int
) -> None:
    items = _numbers(8)
    one = with_demonstrations(items[at], items, k=k, draw="seeded")
    two = with_demonstrations(items[at], [items[place] for place in order], k=k, draw="seeded")
    assert one == two
    shown = [shown.question for shown in one.prompt.demonstrations]
    assert len(set(shown)) == k
    assert items[at].prompt.question not in shown


def test_demonstrations_come_from_a_split_that_is_then_not_tested(tmp_path: Path) -> None:
    items = tuple(
        {
            "language": "en",
            "prompt": {"question": f"{n}?"},
            "target": {"answers": [str(n)]},
            "tags": {"split": "taught" if n < 4 else "asked"},
        }
        for n in range(6)
    )
    header = header_with(
        languages="[en]",
        splits="{taught: {tag: {split: taught}}}",
        demonstrations="{from: taught, k: 2, draw: first}",
    )
    suite = load_suite(write_folder(tmp_path, header=header, items=items))
    assert [item.prompt.question for item in suite.items] == [Text("4?"), Text("5?")]
    for item in suite.items:
        assert [shown.question for shown in item.prompt.demonstrations] == [Text("0?"), Text("1?")]


def test_too_few_demonstrations_are_told_with_the_number_there(tmp_path: Path) -> None:
    header = HEADER + "demonstrations: {from: items.jsonl, k: 2}\n"
    with pytest.raises(
        SuiteError, match=r"suite\.yaml: demonstrations: 2 demonstrations .* only 0 'en' items"
    ):
        load_suite(write_folder(tmp_path, header=header))


def test_choice_items_keep_their_gold_through_loading(tmp_path: Path) -> None:
    item = {
        "language": "en",
        "prompt": {"question": "2 + 2?", "options": ["3", "4"]},
        "target": {"option": 1},
    }
    header = CHOICE.replace("[en, zh]", "[en]")
    suite = load_suite(write_folder(tmp_path, header=header, items=(json.loads(json.dumps(item)),)))
    assert suite.items[0].target == Target(option=1)
