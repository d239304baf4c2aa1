"""The plan of a model on its device: what memory bears, and what timing says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import StoreError
from harness.engine import Checkpoint, LocalBackend
from harness.engine.calibration import best_row, costs_of, scoring_plan_of, timed_costs
from harness.engine.loading import is_spread
from harness.engine.memory_model import MemoryModel, available_bytes, memory_model
from harness.engine.pass_costs import PassCosts
from harness.engine.scoring_plan import ScoringPlan
from tests.engine.tiny_models import tiny_model

POSITIVE = st.floats(1e-6, 1e-2)


@given(token=POSITIVE, cell=st.floats(0, 1e-4), one_pass=POSITIVE)
def test_exact_times_give_the_costs_they_came_from(token: float, cell: float, one_pass: float) -> None:
    truth = PassCosts(token=token, cell=cell, one_pass=one_pass)
    times = [truth.of(n_rows=1, width=width, depth=depth) for width, depth in ((64, 0), (256, 0), (256, 256))]
    found = costs_of(times, short=64, long=256)
    for name in ("token", "cell", "one_pass"):
        assert getattr(found, name) == pytest.approx(getattr(truth, name), rel=1e-6, abs=max(times) * 1e-9)


def test_times_that_make_no_sense_give_the_usual_costs() -> None:
    assert costs_of([1.0, 0.5, 0.4], short=64, long=256) == PassCosts()


@given(token=POSITIVE, cell=st.floats(1e-9, 1e-4), one_pass=POSITIVE)
def test_no_other_power_of_two_is_a_cheaper_row(token: float, cell: float, one_pass: float) -> None:
    costs = PassCosts(token=token, cell=cell, one_pass=one_pass)

    def per_token(width: int) -> float:
        return (one_pass + 64 * token) / width + cell * width

    best = per_token(best_row(costs, 64, 1024))
    assert best <= min(per_token(2**power) for power in range(6, 11)) * 1.1


def test_a_tiny_model_is_timed_in_no_time() -> None:
    costs = timed_costs(tiny_model("llama"), sizes=(16, 64))
    assert costs.token > 0
    assert costs.one_pass >= 0


@given(
    free=st.integers(0, 10**6),
    sizes=st.tuples(*[st.integers(1, 50)] * 3),
    row=st.integers(1, 64),
    depth=st.integers(0, 100),
)
def test_passes_fit_the_memory_or_hold_one_row(
    free: int, sizes: tuple[int, int, int], row: int, depth: int
) -> None:
    model = MemoryModel(free, *sizes)
    tokens = model.most_pass_tokens(row_tokens=row, depth=depth)
    assert tokens == row or model.of_pass(n_rows=tokens // row, width=row, depth=depth) <= free
    width = model.most_row_tokens(depth=depth, at_most=row)
    assert width == 1 or model.of_pass(n_rows=1, width=width, depth=depth) <= free


def test_the_memory_model_counts_keys_and_values_by_the_shapes() -> None:
    found = memory_model(tiny_model("llama"), torch.device("cpu"))
    # two layers, keys and values, two heads of eight numbers of four bytes
    assert found.kept == 2 * 2 * 2 * 8 * 4
    assert found.free > 0


def test_available_memory_is_what_linux_says(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:  9000 kB\nMemAvailable:    123 kB\n")
    assert available_bytes(file) == 123 * 1024
    file.write_text("MemTotal:  9000 kB\n")
    assert available_bytes(file) == available_bytes(tmp_path / "none") > 0


def test_little_memory_makes_small_passes_and_the_user_s_limit_holds(
    tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.engine import memory_model as module

    choice = tiny.scoring_path
    limited = scoring_plan_of(tiny, choice, limit=100, given_tokens=10, longest=50)
    assert (limited.row_tokens, limited.pass_tokens, limited.batch_tokens) == (100, 100, 100)
    monkeypatch.setattr(module, "free_bytes", lambda device: 200_000)
    small = scoring_plan_of(tiny, choice, limit=None, given_tokens=10, longest=400)
    roomy = memory_model(tiny.model, tiny.device)
    assert small.row_tokens < 100
    assert roomy.of_pass(n_rows=1, width=small.row_tokens, depth=400 - 256) <= 100_000


def test_a_plan_survives_its_record_and_another_version_s_is_refused() -> None:
    plan = ScoringPlan("tree", 64, 128, 256, PassCosts(token=0.5))
    assert ScoringPlan.from_json(plan.to_json()) == plan
    with pytest.raises(StoreError, match="not one of this version"):
        ScoringPlan.from_json({"path": "tree"})


def test_a_backend_says_how_it_scored(tiny: Checkpoint) -> None:
    from harness.core.exchange import Choose

    backend = LocalBackend(tiny)
    assert backend.scoring_plan() is None
    assert backend.describe()["scoring"] is None
    list(backend.answer([Choose("q", "Yes or no?", (" yes", " no"))]))
    facts = backend.describe()["scoring"]
    assert isinstance(facts, dict)
    assert facts["path"] == "tree"
    assert facts["probe_nats"]["tree"] < 1e-4


def test_a_model_is_spread_over_gpus_only_where_one_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch, "cuda", SimpleNamespace(device_count=lambda: 2, mem_get_info=lambda index: (1000, 2000))
    )
    assert is_spread(torch.device("cuda"), 900)
    assert not is_spread(torch.device("cuda"), 800)
    assert not is_spread(torch.device("cuda", 1), 900)
    assert not is_spread(torch.device("cuda"), None)
