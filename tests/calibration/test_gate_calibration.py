"""The whole gate under no change: it must not cry wolf more often than its level says."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.gating import gate
from harness.policy import policy_from_json
from harness.store import open_store
from tests.evaluation.made_suites import run_of, suite, wrong_on

N_SUITES = 6
N_ITEMS = 60
N_GATES = 100


@pytest.mark.calibration
def test_an_unchanged_checkpoint_fails_no_more_often_than_alpha(tmp_path: Path) -> None:
    # Two draws of the same error rate on six suites: any failure is a false alarm of the family. A margin next to
    # nothing leaves only the tests between a build and the alarm.
    suites = [suite(f"s{place}", N_ITEMS, first=N_ITEMS * place) for place in range(N_SUITES)]
    policy = policy_from_json({"schema": 1, "alpha": 0.1, "rules": [{"margin": 0.0001}]})
    store = open_store(tmp_path, create=True)
    runs = [
        run_of(wrong_on(0.3, name=str(seed), seed=f"draw {seed}"), suites, store)
        for seed in range(N_GATES + 1)
    ]
    alarms = [
        gate(candidate=after, baseline=before, policy=policy).status == "fail"
        for before, after in zip(runs, runs[1:], strict=False)
    ]
    share = sum(alarms) / N_GATES
    assert share <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / N_GATES)
    assert share > 0  # a gate that cannot alarm would pass this test too
