"""The demo's story: the recipes differ in one respect, and a missing base is said before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import CheckpointError
from harness.demo import story
from harness.demo.recipes import CANDIDATES, write_recipes
from harness.finetune import load_recipe
from harness.policy import load_policy


def test_a_missing_base_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "BASE", tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="harness.demo.train_base"):
        story.tell(tmp_path / "demo", seed=1, say=print, progress=lambda title: None)
    assert not (tmp_path / "demo").exists()


def test_the_two_recipes_differ_in_their_treatments_alone(tmp_path: Path) -> None:
    paths = write_recipes(tmp_path, base=tmp_path / "base", seed=1)
    texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    for candidate in CANDIDATES:
        load_recipe(paths[candidate.name])
        body = texts[candidate.name].replace(candidate.treatments, "")
        texts[candidate.name] = "\n".join(body.splitlines()[1:])  # the first line is the candidate's sentence
    assert len(set(texts.values())) == 1


def test_the_demos_policy_is_a_policy(tmp_path: Path) -> None:
    path = tmp_path / "demo.gate.yaml"
    path.write_text(story.POLICY, encoding="utf-8")
    assert [rule.tier for rule in load_policy(path).rules] == ["blocking", "blocking"]
