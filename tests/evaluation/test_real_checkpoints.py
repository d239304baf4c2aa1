"""Real checkpoints over real data: int8 rounding is no regression, quantisation-aware training is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.real_checkpoints import BASE, INT8, QAT
from benchmarks.real_suites import blimp_items, passage_items, write
from harness.engine import open_checkpoint
from harness.evaluation import EvaluationSettings, evaluate
from harness.gating import gate
from harness.policy import policy_from_json
from harness.store import StoredRun, open_store

POLICY = {
    "schema": 1,
    "rules": [
        {"suite": "blimp", "metric": "accuracy", "margin": 0.05},
        {"suite": "tinystories", "metric": "token_perplexity", "margin": "5%"},
    ],
}


@pytest.fixture(scope="module")
def runs(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, StoredRun]]:
    """One run a checkpoint on 400 minimal pairs and 60 stories."""
    folder = tmp_path_factory.mktemp("real")
    stories = shared_dir / "data" / "tinystories_sample" / "tinystories_1000.json"
    suites = [
        write(
            folder,
            "blimp",
            task="multiple_choice",
            metrics=["accuracy"],
            items=blimp_items(shared_dir / "data"),
        ),
        write(
            folder,
            "tinystories",
            task="likelihood",
            metrics=["nats_per_token_loss", "token_perplexity"],
            items=passage_items(stories, limit=60),
        ),
    ]
    store = open_store(folder / "runs", create=True)
    made = {}
    for name in (BASE, INT8, QAT):
        with open_checkpoint(shared_dir / "models" / name) as model:
            made[name] = evaluate(model, suites, store=store, settings=EvaluationSettings(limit=400))
    yield made


@pytest.mark.shared
@pytest.mark.slow
def test_rounding_to_int8_is_no_regression(runs: dict[str, StoredRun]) -> None:
    verdict = gate(baseline=runs[BASE], candidate=runs[INT8], policy=policy_from_json(POLICY))
    assert verdict.status == "pass", verdict.reason


@pytest.mark.shared
@pytest.mark.slow
def test_quantisation_aware_training_is_a_clear_regression(runs: dict[str, StoredRun]) -> None:
    verdict = gate(baseline=runs[BASE], candidate=runs[QAT], policy=policy_from_json(POLICY))
    assert verdict.status == "fail", verdict.reason
    stories = next(each for each in verdict.judgements if each.effect.suite == "tinystories")
    # The folder's own note gives the two perplexities as about 5.7 and 12.4 on other stories.
    assert stories.status == "fail" and stories.effect.candidate > 1.5 * stories.effect.baseline
