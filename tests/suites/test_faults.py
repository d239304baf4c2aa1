"""Planted faults: each must be found, with its file, line and field, the value, and a way out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import SuiteError
from harness.formats.json_lines import read_json_lines
from harness.formats.yaml_file import read_yaml
from harness.suites import load_suite, validate_suite
from tests.suites.folders import HEADER, ITEMS, header_with, write_folder

EN: dict[str, Any] = {"language": "en", "prompt": {"question": "2 + 2?"}, "target": {"answers": ["4"]}}
ONE = header_with(languages="[en]")
CHOICE = header_with(languages="[en]", task="multiple_choice", metrics="[accuracy]", primary="accuracy")
CLASSES = header_with(languages="[en]", task="classification", metrics="[accuracy]", primary="accuracy")
RECORDS = header_with(
    languages="[en]", task="extraction", metrics="[field_accuracy]", primary="field_accuracy"
)
LABELS = [{"id": "pos", "names": ["good"]}, {"id": "neg", "names": ["bad"]}]


def message_of(folder: Path) -> str:
    """The error's text with the folder's path taken out."""
    with pytest.raises(SuiteError) as caught:
        load_suite(folder)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (header_with(tsk="short_answer"), "suite.yaml:10:1: tsk: unknown key 'tsk'. Did you mean 'task'"),
        (header_with(license="MIT", licence=""), "license: unknown key 'license'. Did you mean 'licence'?"),
        (header_with(task="short_anwser"), "task: expected 'multiple_choice'"),
        (header_with(task="short_anwser"), "got 'short_anwser'. Did you mean 'short_answer'"),
        (header_with(name="My Suite"), "suite.yaml:9:1: name: expected small letters, digits"),
        (header_with(version="'1 2'"), "version: expected a version such as '2026.1', got '1 2'"),
        (header_with(schema="2"), "schema: expected 1, got 2"),
        (header_with(summary=""), "summary: is missing; add it"),
        (header_with(languages="[]"), "languages: must not be empty"),
        (
            header_with(languages="[EN]"),
            "languages[0]: expected a language tag such as 'en' or 'zh', got 'EN'",
        ),
        (header_with(languages="[en, zh, en]"), "languages[2]: 'en' stands twice"),
        (header_with(languages="[en, zh, fr]"), "languages: 'fr' is declared, but no tested item uses it"),
        (
            header_with(metrics="[exact_mach]", primary="exact_mach"),
            "metrics[0]: No metric named 'exact_mach'",
        ),
        (header_with(metrics="[exact_mach]", primary="exact_mach"), "Did you mean 'exact_match'"),
        (header_with(metrics="[accuracy]", primary="accuracy"), "metrics[0]: Metric 'accuracy' cannot score"),
        (header_with(metrics="[exact_match, exact_match]"), "metrics[1]: metric 'exact_match' stands twice"),
        (header_with(primary="token_f1_score"), "primary: 'token_f1_score' is not among the suite's metrics"),
        (header_with(variants="[tpyo]"), "variants[0]: No transform named 'tpyo'. Did you mean 'typo'?"),
        (header_with(variants="[typo: {severty: 0.1}]"), "variants[0]: "),
        (header_with(variants="[typo: {severity: 2}]"), "variants[0]: "),
        (header_with(variants="[3]"), "variants[0]: expected a text or a mapping, got 3"),
        (header_with(variants="[context_rotation]"), "items.jsonl:1: prompt.context: is missing, and"),
        (
            header_with(languages="[en]", variants="[traditional]"),
            "variants[0]: 'traditional' works on zh only",
        ),
        (header_with(generation="{max_tokens: 0}"), "generation.max_tokens: expected at least 1, got 0"),
        (
            header_with(generation="{temperature: warm}"),
            "generation.temperature: expected a number, got 'warm'",
        ),
        (header_with(generation="{top_p: .nan}"), "generation.top_p: expected a number, got '.nan'"),
        (header_with(read="{by: letter}"), "read: says how options or labels are read"),
        (header_with(prompt="{fr: {instruction: Bref.}}"), "prompt.fr: 'fr' is not among"),
        (header_with(prompt="{instrction: x}"), "prompt.instrction: unknown key 'instrction'. Did you mean"),
        (header_with(prompt="{en: {instrction: x}}"), "prompt.en.instrction: unknown key 'instrction'"),
        (header_with(items="../items.jsonl"), "items: '../items.jsonl' leads out of the suite's folder"),
        (header_with(items="/etc/hosts"), "items: expected a file name inside the suite's folder"),
        (header_with(items="other.jsonl"), "items: there is no file 'other.jsonl'; add it"),
        (header_with(splits="{train: gone.jsonl}"), "splits.train: there is no file 'gone.jsonl'"),
        (HEADER + "name: again\n", "suite.yaml:10:1: key 'name' stands twice (lines 2 and 10)"),
        (HEADER + "smoke: [1\n", "suite.yaml:11:1: is not valid YAML"),
        (HEADER + "\tsmoke: 1\n", "suite.yaml:10:1: is not valid YAML"),
        ("", "suite.yaml: is empty"),
        ("# nothing\n", "suite.yaml: is empty"),
        ("~\n", "suite.yaml: is empty"),
        ("a: \x1f\n", "suite.yaml:1: holds the control character U+001F"),
        ("a: !!int x\n", "suite.yaml: is not valid YAML"),
        ("a: !!python/object:os.system x\n", "suite.yaml:1:4: is not valid YAML"),
        ("- a\n- b\n", "suite.yaml:1: expected keys and values"),
    ],
)
def test_a_fault_in_suite_yaml_is_told_with_its_place(tmp_path: Path, header: str, expected: str) -> None:
    assert expected in message_of(write_folder(tmp_path, header=header))


@pytest.mark.parametrize(
    ("header", "change", "expected"),
    [
        (ONE, {"language": "de"}, "items.jsonl:1: language: 'de' is not among the suite's languages (en)"),
        (ONE, {"promt": {}}, "promt: unknown key 'promt'. Did you mean 'prompt'?"),
        (ONE, {"id": "7"}, "id: unknown key 'id': ids are computed"),
        (ONE, {"prompt": {"question": 5}}, "prompt.question: expected a text, got 5"),
        (ONE, {"prompt": {}}, "prompt: asks nothing; add a question"),
        (
            ONE,
            {"prompt": {"question": "?", "choices": ["a"]}},
            "unknown key 'choices'. Did you mean 'options'?",
        ),
        (
            ONE,
            {"target": {}},
            "target: expected exactly one of label, option, answers, fields, references; got none",
        ),
        (ONE, {"target": {"answers": ["4"], "option": 1}}, "got option and answers"),
        (ONE, {"target": {"answers": "4"}}, "target.answers: expected a list, got '4'"),
        (ONE, {"target": {"answers": []}}, "target.answers: must not be empty"),
        (
            ONE,
            {"target": {"option": 0}},
            "target.option: does not fit task 'short_answer', which needs target.answers",
        ),
        (ONE, {"target": None}, "target: is missing; a short_answer item needs target.answers"),
        (ONE, {"tags": {"a": ["b"]}}, "tags.a: expected a text or a whole number, got ['b']"),
        (
            ONE,
            {"prompt": {"question": {"text": "Call 5.", "protect": ["6"]}}},
            "prompt.question.protect[0]: '6' does not occur in the text",
        ),
        (
            ONE,
            {"prompt": {"question": "?", "order": ["instruction"]}},
            "prompt.order: leaves out question, which the prompt has",
        ),
        (
            ONE,
            {"prompt": {"question": "?", "demonstrations": [{"question": "a"}]}},
            "prompt.demonstrations[0].answer: is missing",
        ),
        (
            CHOICE,
            {"prompt": {"question": "?", "options": ["3", "4"]}, "target": {"option": 2}},
            "from 0 to 1",
        ),
        (
            CHOICE,
            {"prompt": {"question": "?", "options": ["3", "4"]}, "target": {"option": -1}},
            "target.option: ",
        ),
        (
            CHOICE,
            {"prompt": {"question": "?", "options": ["3", "3"]}, "target": {"option": 0}},
            "'3' stands twice",
        ),
        (
            CHOICE,
            {"prompt": {"question": "?", "options": ["3"]}, "target": {"option": 0}},
            "at least 2 are needed",
        ),
        (
            CLASSES,
            {"prompt": {"question": "?", "labels": LABELS}, "target": {"label": "poss"}},
            "target.label: gold 'poss' is not among the labels ['pos', 'neg']. Did you mean 'pos'?",
        ),
        (
            CLASSES,
            {"prompt": {"question": "?", "labels": [LABELS[0], LABELS[0]]}, "target": {"label": "pos"}},
            "prompt.labels[1].id: label id 'pos' stands twice",
        ),
        (
            CLASSES,
            {
                "prompt": {"question": "?", "labels": [*LABELS, {"id": "ok", "names": ["Good"]}]},
                "target": {"label": "ok"},
            },
            "prompt.labels[2].names: name 'Good' is one of label 'pos' too",
        ),
        (
            CLASSES,
            {
                "prompt": {"question": "?", "labels": [LABELS[0], {"id": "neg", "names": "bad"}]},
                "target": {"label": "neg"},
            },
            "prompt.labels[1].names: expected a list, got 'bad'",
        ),
        (
            CLASSES + "labels: [pos, neutral]\n",
            {"prompt": {"question": "?", "labels": LABELS}, "target": {"label": "pos"}},
            "prompt.labels[1].id: label id 'neg' is not in the suite's labels",
        ),
        (
            RECORDS,
            {
                "prompt": {"question": "?", "output": {"fields": {"n": "integer"}}},
                "target": {"fields": {"n": "3"}},
            },
            "target.fields.n: expected a integer, got '3'",
        ),
        (
            RECORDS,
            {
                "prompt": {"question": "?", "output": {"fields": {"n": "integer"}}},
                "target": {"fields": {"m": 3}},
            },
            "target.fields: lacks field 'n'",
        ),
        (
            RECORDS,
            {"prompt": {"question": "?"}, "target": {"fields": {"m": 3}}},
            "extraction needs an output",
        ),
    ],
)
def test_a_fault_in_an_item_is_told_with_its_field(
    tmp_path: Path, header: str, change: dict[str, Any], expected: str
) -> None:
    item = {name: value for name, value in {**EN, **change}.items() if value is not None}
    message = message_of(write_folder(tmp_path, header=header, items=(item,)))
    assert message.startswith("items.jsonl:1: ")
    assert expected in message


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (b'{"language": "en", }', "items.jsonl:2:"),
        (
            b"{'language': 'en'}",
            "items.jsonl:2:2: is not JSON: Expecting property name enclosed in double quotes",
        ),
        (b"[1]", "items.jsonl:2:1: expected one JSON object a line, got list"),
        (b'{"a": NaN}', "items.jsonl:2: NaN is not JSON"),
        (b'{"a": -Infinity}', "items.jsonl:2: -Infinity is not JSON"),
        (b'{"a": 1, "a": 2}', "items.jsonl:2: key 'a' stands twice"),
        (b'{"a": "\\ud800"}', "items.jsonl:2: a text holds half of a surrogate pair"),
        (b'{"a": "\\u0000"}', "items.jsonl:2: a text holds \\u0000"),
        (b'{"a": "\xff"}', "items.jsonl:2:8: is not UTF-8: byte 0xff"),
        (b'{"a": "\0"}', "items.jsonl:2: holds a NUL byte"),
        (b"[" * 100_000, "items.jsonl:2: "),
        (b"1" * 5_000, "items.jsonl:2: "),
    ],
)
def test_a_malformed_line_is_told_with_line_and_column(tmp_path: Path, second: bytes, expected: str) -> None:
    first = json.dumps(EN).encode()
    message = message_of(write_folder(tmp_path, header=ONE, items=first + b"\n" + second + b"\n"))
    assert expected in message


def test_the_column_of_malformed_json_is_where_the_parser_stopped(tmp_path: Path) -> None:
    # {"language" "en"}: the missing colon is seen at the 13th character, counted by hand.
    message = message_of(write_folder(tmp_path, items='{"language" "en"}\n'))
    assert message.startswith("items.jsonl:1:13: is not JSON: Expecting ':' delimiter")


@pytest.mark.parametrize("text", ["", "\n\n  \n"])
def test_a_suite_without_items_is_refused(tmp_path: Path, text: str) -> None:
    assert "items.jsonl: has no items to test; add at least one line" in message_of(
        write_folder(tmp_path, items=text)
    )


def test_a_duplicate_names_both_lines(tmp_path: Path) -> None:
    again = {**EN, "target": {"answers": ["four"]}}  # another target: still the same question
    message = message_of(
        write_folder(tmp_path, header=ONE, items=(EN, {**EN, "prompt": {"question": "1?"}}, again))
    )
    assert message.startswith("items.jsonl:3: is the same item as line 1 (id '")


def test_utf_16_is_refused_with_the_remedy(tmp_path: Path) -> None:
    message = message_of(write_folder(tmp_path, items="x".encode("utf-16")))
    assert "items.jsonl:1: is UTF-16, expected UTF-8; save it as UTF-8" in message


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_text(json.dumps(EN), encoding="utf-8")
    folder = write_folder(tmp_path / "suite", header=ONE)
    (folder / "items.jsonl").unlink()
    os.symlink(outside, folder / "items.jsonl")
    assert "items: 'items.jsonl' leads out of the suite's folder" in message_of(folder)


def test_anchors_that_unfold_without_end_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "unfolds to more than" in message_of(write_folder(tmp_path, header="\n".join(lines)))


def test_several_faults_are_told_at_once_and_the_rest_counted(tmp_path: Path) -> None:
    items = tuple({**EN, "prompt": {"question": f"{n}?"}, "target": {"label": "x"}} for n in range(15))
    lines = message_of(write_folder(tmp_path, header=ONE, items=items)).splitlines()
    assert lines[0].startswith("items.jsonl:1: target.label: does not fit")
    assert [line.split(": ")[0] for line in lines[1:10]] == [f"  also items.jsonl:{n}" for n in range(2, 11)]
    assert lines[10:] == ["  and 5 more"]


def test_a_transform_that_changes_nothing_is_found_by_validation(tmp_path: Path) -> None:
    [finding] = validate_suite(write_folder(tmp_path, header=header_with(variants="[option_order]")))
    assert finding.field == "variants[0]"
    assert "'option_order' makes no variant of any item: fewer than two options may move" in finding.message


def test_an_item_whose_key_is_not_marked_cannot_be_rotated(tmp_path: Path) -> None:
    header = header_with(languages="[en]", variants="[context_rotation]")
    item = {**EN, "prompt": {"question": "?", "context": ["A.", {"text": "B."}]}}
    message = message_of(write_folder(tmp_path, header=header, items=(item,)))
    assert (
        'items.jsonl:1: prompt.context: no passage has "key": true for `context_rotation` to move' in message
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(["language", "prompt", "target", "tags", "question", "options", "labels", "x"])


@given(st.dictionaries(_KEYS, _JSON | st.dictionaries(_KEYS, _JSON, max_size=3), max_size=4))
def test_whatever_record_stands_in_a_line_only_a_suite_error_comes_of_it(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]
) -> None:
    folder = write_folder(tmp_path_factory.mktemp("any"), header=ONE, items=(EN, record))
    with pytest.raises(SuiteError):
        load_suite(folder)


@given(st.text(max_size=60))
def test_whatever_text_a_yaml_file_holds_only_findings_come_of_it(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "suite.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    file = read_yaml(path)
    assert file.value is not None or file.findings


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), max_size=5))
def test_lines_read_back_what_json_wrote(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "items.jsonl"
    path.write_text("".join(json.dumps(record) + "\n\n" for record in records), encoding="utf-8")
    lines, findings = read_json_lines(path)
    clean = [record for record in records if "\0" not in "".join([*record, *record.values()])]
    assert [line.value for line in lines] == clean
    assert len(findings) == len(records) - len(clean)
    assert all(line.number % 2 == 1 for line in lines)


def test_the_right_folder_has_no_findings(tmp_path: Path) -> None:
    assert validate_suite(write_folder(tmp_path, items=ITEMS)) == []
