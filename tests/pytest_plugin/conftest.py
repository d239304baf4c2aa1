"""A store of runs, and pytest run on gates as a user would."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.pytest_plugin.gate_store import make_store

POLICY = """\
schema: 1
baseline: {run: production}
rules:
  - {suite: letters, metric: accuracy, slice: {language: zh}, margin: 0.1}
  - {suite: letters, by: transform, margin: 0.1}
  - {suite: "sho*", margin: 0.1, tier: advisory}
"""
# Installed, the plugin is loaded by its entry point; from a checkout that was not installed anew it is named.
IS_INSTALLED = any(found.value == "harness.pytest_plugin" for found in entry_points(group="pytest11"))
LOADED = () if IS_INSTALLED else ("-p", "harness.pytest_plugin")

Gates = Callable[..., pytest.RunResult]


@pytest.fixture(scope="session")
def gate_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(make_store(tmp_path_factory.mktemp("gates") / "runs").url)


@pytest.fixture
def gates(pytester: pytest.Pytester, gate_store: Path, monkeypatch: pytest.MonkeyPatch) -> Gates:
    """Runs pytest in a folder with `gates/release.gate.yaml`; `own_store` copies the runs first."""
    for variable in ("CI", "HARNESS_STORE", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(variable, raising=False)
    folder = pytester.mkdir("gates")
    (folder / "release.gate.yaml").write_text(POLICY, encoding="utf-8")
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\n")

    def run(*words: str, own_store: bool = False, subprocess: bool = False) -> pytest.RunResult:
        store = gate_store
        if own_store:
            store = pytester.path / "runs"
            shutil.copytree(gate_store, store)
        words = (*LOADED, "-p", "no:cacheprovider", f"--harness-store={store}", *words)
        return pytester.runpytest_subprocess(*words) if subprocess else pytester.runpytest_inprocess(*words)

    return run
