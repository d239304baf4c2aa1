"""Previews mark what changed; a frozen suite has equal bytes for equal content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.core.codec import item_from_json
from harness.core.errors import SuiteError, TransformError, UsageError
from harness.suites import load_suite
from harness.suites.freeze import freeze
from harness.suites.preview import preview


def test_the_pieces_of_a_preview_are_the_texts_and_the_marked_ones_are_the_edits() -> None:
    found = preview(load_suite("noisy-input"), transform="typo", params={"severity": 0.1}, n=4)
    assert len(found.shown) == 4
    for one in found.shown:
        for part in one.parts:
            edits = [edit for edit in one.variant.edits if edit.part == part.name]
            assert [text for text, marked in part.after if marked] == [edit.after for edit in edits]
            assert "".join(text for text, _ in part.after) == one.variant.item.prompt.question.text  # type: ignore[union-attr]


def test_a_preview_says_when_nothing_comes_of_a_transform_and_what_is_wrong_with_a_wish() -> None:
    suite = load_suite("noisy-input")
    with pytest.raises(TransformError, match="changed none of"):
        preview(suite, transform="context_rotation")
    with pytest.raises(UsageError, match="n must be at least 1"):
        preview(suite, n=0)
    with pytest.raises(UsageError, match="name it with --transform"):
        preview(suite, params={"severity": 0.1})


def test_a_moved_answer_is_shown() -> None:
    found = preview(load_suite("noisy-input"), transform="negated_request", n=1)
    assert found.shown[0].answer is not None and found.shown[0].answer[0] != found.shown[0].answer[1]


def test_a_frozen_suite_can_be_read_and_hashed_and_is_written_once(tmp_path: Path) -> None:
    built = load_suite("noisy-input").build(smoke=True)
    assert freeze(built, tmp_path / "one", seed=0) and freeze(built, tmp_path / "two", seed=0)
    for name in ("variants.jsonl", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert not freeze(built, tmp_path / "one", seed=0)
    manifest = json.loads((tmp_path / "one" / "manifest.json").read_text(encoding="utf-8"))
    data = (tmp_path / "one" / "variants.jsonl").read_bytes()
    assert manifest["files"]["variants.jsonl"] == hashlib.sha256(data).hexdigest()
    read = [json.loads(line) for line in data.decode("utf-8").splitlines()]
    held = {variant.variant_id: variant.item for variant in built.variants}
    assert {one["variant_id"]: item_from_json(one["item"]) for one in read} == held


def test_another_suite_is_not_written_over_a_frozen_one(tmp_path: Path) -> None:
    suite = load_suite("noisy-input")
    freeze(suite.build(smoke=True), tmp_path, seed=0)
    with pytest.raises(SuiteError, match="something else"):
        freeze(suite.build(smoke=True, seed=1), tmp_path, seed=1)


def test_the_commands_show_and_freeze(tmp_path: Path) -> None:
    from harness.cli.suites import suites

    shown = CliRunner().invoke(
        suites,
        ["preview", "noisy-input", "--transform", "typo", "--param", "severity=0.1", "--n", "1", "--json"],
    )
    record = json.loads(shown.output)
    assert shown.exit_code == 0 and "⟦" in record["shown"][0]["parts"][0]["after"]
    done = CliRunner().invoke(suites, ["build", "noisy-input", str(tmp_path / "frozen")])
    assert done.exit_code == 0 and done.output.startswith("Wrote")
