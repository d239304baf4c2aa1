"""The floor in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report.noise import show_noise
from tests.comparison.test_noise import run


def test_the_floor_and_the_repeats_ids_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run(tmp_path, {0: 0.01}, name="c")
    # By construction every margin falls by .02, and one of twenty, led by .01, changes its choice.
    again = run(tmp_path, {0: 0.01}, name="c", shift=-0.02, replicate=1)
    show_noise(first, [again])
    said = " ".join(capsys.readouterr().out.split())
    assert "numerical noise up to 0.02 nats" in said
    assert "5.00% of the items changed their choice" in said
    assert again.run_id in said
