"""A checkpoint as candidate is run as the baseline was, and an equal run is found instead of made."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import RunNotFound, UsageError
from harness.evaluation import EvaluationSettings, evaluate
from harness.pytest_plugin.candidate import resolved
from harness.store import open_store
from tests.suites.folders import write_folder


def test_the_same_checkpoint_run_like_its_own_run_is_that_run(tiny_checkpoint: Path, tmp_path: Path) -> None:
    from harness.engine import open_checkpoint

    store = open_store(tmp_path / "runs", create=True)
    folder = write_folder(tmp_path)
    with open_checkpoint(tiny_checkpoint) as model:
        run = evaluate(model, folder, store=store, settings=EvaluationSettings(seed=3))
    found = resolved(store, str(tiny_checkpoint), baseline=run.run_id, suite=str(folder))
    assert found.run_id == run.run_id
    assert len(store.runs()) == 1


def test_a_stored_run_is_found_by_name_and_anything_else_is_told(tmp_path: Path) -> None:
    store = open_store(tmp_path / "runs", create=True)
    with pytest.raises(RunNotFound, match="Nor is it a checkpoint's folder"):
        resolved(store, "production", baseline=None)
    with pytest.raises(UsageError, match="name the baseline whose suites it shall be asked"):
        resolved(store, str(tmp_path), baseline=None)
