"""What a recipe may say, and the one clear message for each thing it may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import RecipeError
from harness.finetune import Recipe, load_recipe, recipe_from_json

REPOSITORY = Path(__file__).resolve().parents[2]

TEXT = """schema: 1
base: ./base
data:
  - {path: rows.jsonl, map: {question: q, answer: a}}
treatments:
  - {transform: component_order, share: 0.5}
stages:
  - method: lora
    schedule: {name: cosine, peak: 2e-4}
"""


def _load(folder: Path, text: str) -> Recipe:
    (folder / "rows.jsonl").write_text('{"q": "1?", "a": "1"}\n', encoding="utf-8")
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path)


def test_a_resolved_recipe_reads_back_as_itself(recipe_over: Callable[..., Recipe]) -> None:
    recipe = recipe_over(method="full")
    again = recipe_from_json(recipe.to_json(), path=recipe.path)
    assert again.to_json() == recipe.to_json()
    assert again.digest == recipe.digest


def test_an_exponent_is_a_number(tmp_path: Path) -> None:
    schedule = _load(tmp_path, TEXT).shape.stages[0].schedule
    assert schedule is not None
    assert schedule.peak == 0.0002


def test_relative_paths_start_from_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    recipe = _load(tmp_path, TEXT)
    assert Path(recipe.base) == tmp_path / "base"
    assert recipe.file("rows.jsonl") == tmp_path / "rows.jsonl"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("method: lora", "method: lroa", "recipe.yaml:8:5: stages[0].method: expected 'full' or 'lora'"),
        ("method: lora", "method: lora\n    rnk: 4", ":9:5: stages[0].rnk: unknown key 'rnk'. Did you mean 'rank'?"),
        ("method: lora", "method: lora\n    lr: 4", "Did you mean 'schedule'?"),
        ("method: lora", "method: full\n    rank: 4", ":9:5: stages[0].rank: is not read by method 'full'"),
        ("method: lora", "method: lora\n    steps: 4\n    epochs: 1", "stages[0].steps: stands beside epochs"),
        ("method: lora", "method: lora\n    stop: {patience: 3}", "unknown key 'stop'"),
        ("peak: 2e-4", "peak: 0", "stages[0].schedule.peak: expected more than 0, got 0"),
        ("peak: 2e-4", "warmup: 1.5, peak: 1", "stages[0].schedule.warmup"),
        ("share: 0.5", "share: 50%", "treatments[0].share"),
        ("component_order", "component_ordr", ":6:6: treatments[0].transform: "),
        ("component_order", "component_ordr", "Did you mean 'component_order'"),
        ("share: 0.5", "share: 0.5, params: {strength: 2}", ":6:46: treatments[0].params: "),
        ("rows.jsonl", "row.jsonl", ":4:6: data[0].path: there is no file "),
        ("schema: 1", "schema: 2", ":1:1: schema: expected 1, got 2"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_line_field_and_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        _load(tmp_path, TEXT.replace(old, new))
    assert told in str(caught.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"(?s)schema.*stages\[0\]\.method"):
        _load(tmp_path, TEXT.replace("schema: 1", "schema: 2").replace("method: lora", "method: lroa"))


def test_an_absent_recipe_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such recipe"):
        load_recipe(tmp_path / "none.yaml")


def test_an_empty_recipe_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is empty"):
        _load(tmp_path, "")


def test_the_example_in_the_repository_is_a_recipe(tmp_path: Path) -> None:
    for name in ("train.jsonl", "general.jsonl"):
        (tmp_path / name).write_text("{}\n", encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_bytes((REPOSITORY / "examples" / "recipe.yaml").read_bytes())
    assert load_recipe(path).shape.stages[0].rank == 16
