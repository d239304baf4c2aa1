"""`harness finetune` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import main

LINES = '{"q": "Who left?", "a": "Ada"}\n{"q": "谁走了？", "a": "\\u001b[31m他"}\n'


@pytest.fixture
def recipe_file(tmp_path: Path, tiny_checkpoint: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text(LINES, encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"schema: 1\nbase: {tiny_checkpoint}\n"
        "data:\n  - {path: rows.jsonl, map: {question: q, answer: a}}\n"
        "stages:\n  - {method: lora, rank: 2, steps: 3, schedule: {peak: 1e-3}}\n",
        encoding="utf-8",
    )
    return path


def _run(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


def test_a_dry_run_shows_an_example_with_what_is_learned_and_writes_nothing(
    recipe_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = recipe_file.parent / "out"
    assert _run("finetune", recipe_file, "--out", out, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "Question: Who left?\n\nAnswer:⟦ Ada</s>⟧" in shown
    assert "nothing was trained" in shown
    assert not out.exists() and not out.with_name("out.partial").exists()


def test_training_tells_its_steps_on_stderr_and_its_result_on_stdout(
    recipe_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = recipe_file.parent / "out"
    assert _run("finetune", recipe_file, "--out", out, "--device", "cpu") == 0
    told = capsys.readouterr()
    assert "step 3/3  loss" in told.err
    assert "Adapter " in told.out and "step" in told.out
    assert _run("finetune", recipe_file, "--out", out, "--device", "cpu", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["is_new"] is False
    assert value["manifest"]["result"]["kind"] == "adapter"


def test_a_fault_is_one_message_and_exit_code_2(
    recipe_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (recipe_file.parent / "rows.jsonl").write_text(
        '{"q": "Who?", "a": "Ada"}\n{"q": oops}\n', encoding="utf-8"
    )
    assert _run("finetune", recipe_file, "--out", recipe_file.parent / "out") == 2
    told = capsys.readouterr()
    assert "rows.jsonl:2:7: is not JSON" in told.err
    assert "Traceback" not in told.err
