"""Runs stored by earlier versions stay readable: one per schema, kept for ever, never made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.store import open_store
from tests.store.tiny_run import RUN_ID, SUITE_DIGEST, manifest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize("schema", [1])
def test_the_stored_run_of_every_schema_still_loads(schema: int, tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / f"run-schema-{schema}", tmp_path / "runs")
    run = open_store(tmp_path / "runs").run("production")
    run.verify()
    assert run.run_id == RUN_ID
    # Written down when the run was made: what its two items got.
    scores = run.scores().set_index("variant_id")["value"]
    assert scores["va"] == 1.0 and scores["vb"] == 0.0 and scores.isna()["vc"]
    assert run.outputs().set_index("variant_id").loc["va", "text"] == " Paris 巴黎"
    assert run.errors()["error_class"].tolist() == ["wrong_option"]
    assert run.variants("geo")["gold"].tolist() == ["Paris"] * 3
    expected = manifest()
    assert run.manifest.checkpoint == expected.checkpoint
    assert run.manifest.suites == expected.suites
    assert set(run.manifest.files) == {
        "scores.parquet", "outputs.parquet", "errors.parquet", f"items/{SUITE_DIGEST}.parquet",
    }  # fmt: skip


def test_golden_runs_stay_small() -> None:
    sizes = [path.stat().st_size for path in (GOLDEN / "run-schema-1").rglob("*") if path.is_file()]
    assert sum(sizes) < 40_000
