"""A run that stops once its verdict is settled: right verdicts, fewer requests, an order nobody can foresee."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.backends import ScriptedBackend
from harness.core.errors import UsageError
from harness.evaluation import EvaluationSettings
from harness.evaluation.evaluate import build
from harness.gating import gate
from harness.gating.looks import Reading
from harness.gating.order import cut_suites, drawn_order, first_items
from harness.gating.staged import StagedVerdict, staged_gate
from harness.policy import Policy, policy_from_json
from harness.store import CheckpointRecord, StoredRun, open_store
from harness.suites import Suite
from tests.evaluation.made_suites import good, run_of, suite, wrong_on

N = 300


def policy(margin: float = 0.05, **fields: object) -> Policy:
    return policy_from_json({"schema": 1, "rules": [{"margin": margin}], **fields})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("staged")


@pytest.fixture(scope="module")
def suites() -> list[Suite]:
    return [suite("first", N), suite("second", N, first=N)]


@pytest.fixture(scope="module")
def baseline(folder: Path, suites: list[Suite]) -> StoredRun:
    return run_of(wrong_on(0.1, name="before", seed="before"), suites, folder)


def staged(
    backend: ScriptedBackend,
    suites: Sequence[Suite],
    baseline: StoredRun,
    folder: Path,
    *,
    rules: Policy | None = None,
    reading: Reading = "population",
) -> StagedVerdict:
    name = str(backend.describe()["name"])
    return staged_gate(
        backend,
        CheckpointRecord(digest=name, name=name),
        build(list(suites), EvaluationSettings()),
        baseline=baseline,
        policy=rules or policy(),
        store=open_store(folder),
        reading=reading,
    )


@pytest.mark.parametrize("reading", ["population", "suite"])
def test_a_catastrophe_stops_the_run_at_the_first_look(
    suites: list[Suite], baseline: StoredRun, folder: Path, reading: Reading
) -> None:
    broken = wrong_on(0.6, name=f"broken {reading}")
    found = staged(broken, suites, baseline, folder, reading=reading)
    assert (found.verdict.status, found.verdict.exit_code) == ("fail", 1)
    assert [look.share for look in found.looks] == [0.2]
    # A fifth of 300 items of each suite, and nothing else reached the backend.
    assert (found.items, found.items_total, broken.calls) == (120, 600, 120)
    assert found.saved_share == pytest.approx(0.8)
    assert found.run.manifest.is_partial
    assert found.verdict.candidate[0][0] == found.run.run_id


def test_the_partial_run_in_the_store_shows_the_same_loss(
    suites: list[Suite], baseline: StoredRun, folder: Path
) -> None:
    found = staged(wrong_on(0.6, name="broken again"), suites, baseline, folder)
    again = gate(candidate=found.run, baseline=baseline, policy=policy(min_shared=0.1))
    assert again.status == "fail"
    # With everything asked at once the average over both suites is judged too, and told last.
    for before, after in zip(found.verdict.judgements, again.judgements, strict=False):
        assert before.effect.effect == after.effect.effect


def test_an_equal_candidate_passes_early_where_the_suite_is_all_that_matters(
    suites: list[Suite], baseline: StoredRun, folder: Path
) -> None:
    same = wrong_on(0.1, name="same", seed="before")
    found = staged(same, suites, baseline, folder, reading="suite")
    assert found.verdict.status == "pass"
    assert found.looks[-1].share < 1
    assert same.calls == found.requests < found.requests_total == 600


def test_an_undecided_candidate_is_asked_everything_and_its_run_is_whole(
    suites: list[Suite], baseline: StoredRun, folder: Path
) -> None:
    found = staged(
        wrong_on(0.13, name="slightly worse", seed="after"), suites, baseline, folder, rules=policy(0.03)
    )
    assert found.verdict.status == "inconclusive"
    assert found.looks[-1].share == 1.0
    assert not found.run.manifest.is_partial
    assert (found.requests, found.saved_share) == (600, 0.0)


def test_a_floor_may_fail_early_but_passes_only_with_everything_asked(
    suites: list[Suite], baseline: StoredRun, folder: Path
) -> None:
    rules = policy_from_json({"schema": 1, "rules": [{"margin": 0.4}, {"floor": 0.5}]})
    found = staged(wrong_on(0.1, name="floored", seed="before"), suites, baseline, folder, rules=rules)
    assert found.verdict.status == "pass"
    assert found.looks[-1].share == 1.0
    assert all(look.status == "inconclusive" for look in found.looks[:-1])


def test_the_order_is_drawn_from_suite_and_candidate_and_every_look_adds_to_the_last(
    suites: list[Suite],
) -> None:
    built = build(suites, EvaluationSettings())
    order = drawn_order(built[0], seed=0, names=["one"])
    assert order == drawn_order(built[0], seed=0, names=["one"])
    assert order != drawn_order(built[0], seed=0, names=["another"])
    assert sorted(order) == sorted({variant.item_id for variant in built[0].variants})
    assert first_items(order, 0.2) < first_items(order, 0.4) < first_items(order, 1.0)
    orders = {each.suite.name: drawn_order(each, seed=0) for each in built}
    # The same share of every suite, however long: 300 and 300 items give 75 each.
    assert [part.n_items for part in cut_suites(built, orders, 0.25)] == [75, 75]


def test_part_of_a_suite_or_nothing_is_refused(
    suites: list[Suite], baseline: StoredRun, folder: Path
) -> None:
    with pytest.raises(UsageError, match="without a limit"):
        staged(good(), [], baseline, folder)
    with pytest.raises(UsageError, match="share of the items"):
        first_items(["a"], 0.0)
