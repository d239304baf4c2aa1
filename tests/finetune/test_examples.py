"""Rows of three shapes, and one clear message for each that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import DataError, HarnessError, RecipeError
from harness.finetune import Recipe
from harness.finetune.examples import Source, drawn, read_source

ITEM = {"language": "en", "prompt": {"question": "2 + 2?"}, "target": {"answers": ["4"]}}
MAP = {"map": {"question": "q", "answer": "a"}}


def _read(recipe: Recipe) -> Source:
    shape = recipe.shape.data[0]
    return read_source(recipe, ("data", 0), shape, recipe.file(shape.path))


def test_mapped_columns_become_the_parts_of_an_item(recipe_over: Callable[..., Recipe]) -> None:
    row = {"i": "Answer.", "q": "谁？", "c": ["甲。", "乙。"], "a": "甲"}
    columns = {"instruction": "i", "question": "q", "context": "c", "answer": "a"}
    (example,) = _read(recipe_over([row], source={"map": columns})).examples
    assert example.item is not None and example.item.target is not None
    prompt = example.item.prompt
    assert example.item.language == "zh"
    assert [passage.text for passage in prompt.context] == ["甲。", "乙。"]
    assert (prompt.instruction.text, prompt.question.text) == ("Answer.", "谁？")  # type: ignore[union-attr]
    assert example.item.target.answers == ("甲",)


def test_an_empty_column_is_an_absent_part(recipe_over: Callable[..., Recipe]) -> None:
    columns = {"instruction": "instruction", "question": "input", "answer": "output"}
    row = {"instruction": "Say hi.", "input": "", "output": "hi"}
    (example,) = _read(recipe_over([row], source={"map": columns})).examples
    assert example.item is not None
    assert example.item.prompt.question is None


def test_both_conversation_formats_say_the_same(recipe_over: Callable[..., Recipe]) -> None:
    openai = {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"},
                           {"role": "assistant", "content": "A"}]}  # fmt: skip
    sharegpt = {
        "system": "S",
        "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}],
    }
    first, second = _read(recipe_over([openai, sharegpt], source={})).examples
    assert first.messages == second.messages
    assert [message.role for message in first.messages] == ["system", "user", "assistant"]


def test_a_json_list_reads_as_its_lines_do(recipe_over: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = recipe_over([{"q": "1?", "a": "1"}, {"q": "2?", "a": "2"}])
    rows = [{"q": "1?", "a": "1"}, {"q": "2?", "a": "2"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    shape = recipe.shape.data[0]
    listed = read_source(recipe, ("data", 0), shape, tmp_path / "rows.json")
    assert [one.item for one in listed.examples] == [one.item for one in _read(recipe).examples]


def test_a_share_draws_about_its_part_and_always_the_same(recipe_over: Callable[..., Recipe]) -> None:
    source = _read(recipe_over([{"q": f"{n}?", "a": "1"} for n in range(1000)]))
    chosen = drawn(source, share=0.3, limit=None, seed=5)
    assert 240 < len(chosen) < 360  # four standard deviations of a binomial(1000, 0.3)
    assert chosen == drawn(source, share=0.3, limit=None, seed=5)
    assert drawn(source, share=0.3, limit=7, seed=5) == chosen[:7]


@pytest.mark.parametrize(
    ("rows", "source", "told"),
    [
        (['{"q": "1?", "a": "1"}', '{"q": "2?" "a"}'], MAP, "rows.jsonl:2:12: is not JSON"),
        (['{"q": 1', "[1]"], MAP, "rows.jsonl:1"),
        ([], MAP, "rows.jsonl: holds no rows"),
        ([{"q": "1?", "a": "1"}, {"q": "2?", "a": " "}], MAP, "rows.jsonl:2: a: is empty"),
        ([{"q": "", "a": "1"}], MAP, "rows.jsonl:1: q: is empty: nothing is asked"),
        ([{"question": "1?", "a": "1"}], MAP, "rows.jsonl:1: q: has no such column."),
        ([{"q": ["x"], "a": "1"}], MAP, "rows.jsonl:1: q: expected a text, got ['x']"),
        ([{"q": "1?", "a": "1"}], {}, "data[0].map: is missing: the rows of rows.jsonl"),
        ([ITEM], {}, "data[0].task: is missing"),
        ([{**ITEM, "target": {"answer": "4"}}], {"task": "short_answer"}, "rows.jsonl:1: target.answer: unknown key"),
        ([{**ITEM, "target": {"option": 3}}], {"task": "multiple_choice"}, "rows.jsonl:1: target.option"),
        ([{"messages": []}], {}, "rows.jsonl:1: messages: expected a list of messages"),
        ([{"messages": [{"role": "user", "content": "Hi"}]}], {}, "messages: has no turn of the assistant"),
        ([{"messages": [{"role": "asistant", "content": "Hi"}]}], {}, "Did you mean 'assistant'?"),
        ([{"messages": [{"role": "assistant", "content": ""}]}], {}, "messages[0].content: is empty"),
        ([{"messages": [{"role": "assistant", "content": None}]}], {}, "messages[0].content: expected a text"),
        ([{"messages": ["Hi"]}], {}, "messages[0]: expected {role, content}"),
        ([{"messages": [{"role": "assistant", "content": "x"}]}], {"task": "free_text"}, "data[0].task: is not read"),
        ([{"q": "1?", "a": "1"}], {"map": {"answer": "a"}}, "maps neither `question` nor `instruction`"),
        ([{"q": "1?", "a": "1"}], {**MAP, "task": "classification"}, "data[0].task: rows with a `map` are"),
        ([{"q": "1?", "a": "1"}], {**MAP, "task": "multiple_choice"}, "data[0].map: multiple choice needs `options`"),
        ([{"q": "1?", "a": "3", "o": ["1", "2"]}], {"map": {**MAP["map"], "options": "o"}}, "one of the options ["),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_told_with_its_place(
    recipe_over: Callable[..., Recipe], rows: list[Any], source: dict[str, Any], told: str
) -> None:
    with pytest.raises((DataError, RecipeError)) as caught:
        _read(recipe_over(rows, source=source))
    assert told in str(caught.value)


def test_several_bad_rows_are_told_at_once(recipe_over: Callable[..., Recipe]) -> None:
    with pytest.raises(DataError, match=r"(?s)rows.jsonl:1: a: .*rows.jsonl:3: a: "):
        _read(recipe_over([{"q": "1?", "a": ""}, {"q": "1?", "a": "1"}, {"q": "1?", "a": None}]))


def test_every_error_here_is_the_users_to_mend() -> None:
    assert all(issubclass(kind, HarnessError) and kind.exit_code == 2 for kind in (DataError, RecipeError))
