"""Recipes over small files beside the tiny checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.finetune import Recipe, recipe_from_json

QUESTIONS = [
    {"q": f"What is {number} and one?", "a": "It is " + "more " * (number % 4) + str(number + 1)}
    for number in range(24)
]


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    """Rows as JSON lines; a text stands as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def recipe_over(tmp_path: Path, tiny_checkpoint: Path) -> Callable[..., Recipe]:
    """Makes a recipe: `recipe_over(rows, stage_key=value, top={...}, source={...})`."""

    def make(
        rows: Sequence[Any] = QUESTIONS,
        *,
        base: Path = tiny_checkpoint,
        source: dict[str, Any] | None = None,
        stages: Sequence[dict[str, Any]] | None = None,
        top: dict[str, Any] | None = None,
        **stage: Any,
    ) -> Recipe:
        write_lines(tmp_path / "rows.jsonl", rows)
        usual = {"map": {"question": "q", "answer": "a"}} if source is None else source
        usual_stage = {"method": "full", "schedule": {"peak": 1e-3}, **stage}
        value = {
            "schema": 1,
            "base": str(base),
            "seed": 3,
            "data": [{"path": "rows.jsonl", **usual}],
            "stages": [usual_stage] if stages is None else list(stages),
            **(top or {}),
        }
        return recipe_from_json(value, path=tmp_path / "recipe.yaml")

    return make
