"""Under xdist: one verdict however many workers, and a report as without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.pytest_plugin.session import GateSession
from tests.pytest_plugin.conftest import Gates

pytest_plugins = ["pytester"]


class WorkerConfig:
    """As much of pytest's configuration as a worker's session reads."""

    def __init__(self, shared: Path) -> None:
        self.workerinput = {"harness_shared": str(shared)}


def test_workers_share_one_verdict_and_the_controller_tells_all(
    gates: Gates, pytester: pytest.Pytester
) -> None:
    words = ("--harness-candidate=worse",)
    alone = gates(*words, "--harness-report=alone.json")
    together = gates(*words, "--harness-report=together.json", "-n", "2", subprocess=True)
    for done in (alone, together):
        done.assert_outcomes(failed=2, passed=1, warnings=1)
        done.stdout.fnmatch_lines(["✗*letters::accuracy::zh *", "gates/release.gate.yaml: FAIL 3 of 3*"])
    read = [json.loads((pytester.path / name).read_text()) for name in ("alone.json", "together.json")]
    assert read[0] == read[1]


def test_a_verdict_is_drawn_once_in_all_workers(tmp_path: Path) -> None:
    """Two sessions over one folder stand for two workers: what the one made the other reads."""
    made: list[int] = []

    def make() -> dict[str, object]:
        made.append(1)
        return {"status": "pass"}

    for _ in range(2):
        session = GateSession(WorkerConfig(tmp_path / "shared"))  # type: ignore[arg-type]
        assert session.once("key", make) == session.once("key", make) == {"status": "pass"}
    assert len(made) == 1
