"""Floors and ceilings: the candidate alone, on the items as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import PolicyError
from harness.core.exchange import BackendFailure, Request
from harness.gating import Judgement, gate
from harness.policy import Policy, policy_from_json
from harness.store import StoredRun, open_store
from tests.evaluation.made_suites import (
    answering,
    good,
    is_picked,
    prompt_text,
    run_of,
    scripted,
    suite,
    wrong_on,
)

N = 60
TYPO = [{"typo": {"severity": 0.2}}]


def policy(*rules: Mapping[str, Any], **fields: Any) -> Policy:
    return policy_from_json({"schema": 1, "rules": list(rules), **fields})


def only(candidate: StoredRun, rule: Mapping[str, Any], *, baseline: StoredRun | None = None) -> Judgement:
    (judgement,) = gate(candidate=candidate, baseline=baseline or candidate, policy=policy(rule)).judgements
    return judgement


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def worse(folder: Path) -> StoredRun:
    return run_of(wrong_on(0.2), [suite(n=N, plan=TYPO)], folder)


@pytest.fixture(scope="module")
def fragile(folder: Path) -> StoredRun:
    """Right on every item as it is, wrong on every one with typos."""
    plain = {prompt_text(request) for request in _asked(suite(n=N))}
    return run_of(
        scripted(answering(lambda text: text not in plain), name="fragile"), [suite(n=N, plan=TYPO)], folder
    )


def _asked(own: Any) -> list[Request]:
    from harness.evaluation.suite_result import questions

    return [question.request for question in questions(own.build(), seed=0)]


def share_right(run: StoredRun) -> float:
    scores = run.scores()
    return float(scores[scores["metric"] == "accuracy"].groupby("item_id")["value"].mean().mean())


def test_a_value_below_the_floor_fails_and_one_on_it_passes(worse: StoredRun) -> None:
    value = share_right(worse)
    assert only(worse, {"metric": "accuracy", "floor": value}).status == "pass"
    found = only(worse, {"metric": "accuracy", "floor": value + 0.001})
    assert (found.status, found.effect.candidate) == ("fail", pytest.approx(value))
    assert "is below the floor of" in found.reason
    assert "95 % interval" in found.reason


def test_a_floor_needs_no_baseline_with_the_same_suite(worse: StoredRun, folder: Path) -> None:
    other = run_of(good("elsewhere"), [suite("elsewhere", 5, first=900)], folder)
    found = gate(candidate=worse, baseline=other, policy=policy({"suite": "letters", "floor": 0.1}))
    assert [judgement.status for judgement in found.judgements] == ["pass"]


def test_a_ceiling_holds_a_cost(folder: Path) -> None:
    run = run_of(good("short"), [suite("short", 20, task="short_answer")], folder)
    tokens = run.outputs()["tokens"].astype(float)
    if tokens.isna().all():
        pytest.skip("the scripted backend records no tokens")
    assert only(run, {"measure": "tokens_per_answer", "ceiling": float(tokens.mean()) + 1}).status == "pass"
    assert only(run, {"measure": "tokens_per_answer", "ceiling": float(tokens.mean()) - 0.5}).status == "fail"


def test_consistency_is_of_variants_with_their_source(fragile: StoredRun, worse: StoredRun) -> None:
    # Every source is right and every changed variant wrong: none agrees.
    found = only(fragile, {"metric": "consistency", "floor": 0.9})
    assert (found.status, found.effect.candidate) == ("fail", 0.0)
    scores = worse.scores()
    right = scores[scores["metric"] == "accuracy"].set_index(["item_id", "transform"])["value"].unstack()
    both = right.dropna()
    by_hand = float((both["typo"] == both["source"]).mean())
    assert only(worse, {"metric": "consistency", "floor": 0.0001}).effect.candidate == pytest.approx(by_hand)


def test_consistency_is_tested_like_any_metric(fragile: StoredRun, folder: Path) -> None:
    steady = run_of(good("steady"), [suite(n=N, plan=TYPO)], folder)
    found = only(fragile, {"metric": "consistency", "margin": 0.1}, baseline=steady)
    assert (found.status, found.effect.effect) == ("fail", -1.0)
    assert only(steady, {"metric": "consistency", "margin": 0.1}).status == "pass"


def test_system_failures_decide_no_floor(folder: Path) -> None:
    def broken(request: Request) -> Any:
        if is_picked(prompt_text(request), 0.3, seed="broken"):
            return BackendFailure("broken", "the machine stopped")
        return answering()(request)

    run = run_of(scripted(broken, name="broken"), [suite(n=N)], folder)
    found = only(run, {"metric": "accuracy", "floor": 0.5})
    assert found.status == "inconclusive"
    assert "failed in a system, not in the model" in found.reason


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            {"metric": "accuracy", "floor": 0},
            "a floor of 0 forbids nothing: 'accuracy' lies between 0 and 1.",
        ),
        ({"metric": "accuracy", "floor": 1.5}, "a floor of 1.5 can never be met"),
        ({"metric": "accuracy", "ceiling": 1}, "a ceiling of 1 forbids nothing"),
        ({"metric": "acuracy", "floor": 0.5}, "Did you mean 'accuracy'?"),
        ({"measure": "tokens_per_second", "ceiling": 1}, "neither side recorded 'tokens_per_second'"),
    ],
)
def test_a_bound_that_says_nothing_is_told(worse: StoredRun, rule: dict[str, Any], expected: str) -> None:
    with pytest.raises(PolicyError) as caught:
        gate(candidate=worse, baseline=worse, policy=policy(rule))
    assert expected in str(caught.value)


def test_a_floor_that_fails_fails_the_build_and_an_advisory_one_does_not(worse: StoredRun) -> None:
    floor = {"metric": "accuracy", "floor": 0.99}
    # A margin of .3 on 60 unchanged items is certified.
    rules = ({"margin": 0.3}, floor)
    assert gate(candidate=worse, baseline=worse, policy=policy(*rules)).exit_code == 1
    advised = ({"margin": 0.3}, {**floor, "tier": "advisory"})
    assert gate(candidate=worse, baseline=worse, policy=policy(*advised)).exit_code == 0


def test_judgements_stand_in_the_policys_order(worse: StoredRun) -> None:
    rules = ({"floor": 0.1}, {"margin": 0.3}, {"metric": "consistency", "floor": 0.1})
    found = gate(candidate=worse, baseline=worse, policy=policy(*rules))
    assert [judgement.rule.floor for judgement in found.judgements] == [0.1, None, 0.1]
    assert [judgement.effect.metric for judgement in found.judgements] == [
        "accuracy",
        "accuracy",
        "consistency",
    ]


def test_the_store_is_left_as_it_was(worse: StoredRun) -> None:
    before = [run.run_id for run in open_store(worse.store_url).runs()]
    only(worse, {"metric": "accuracy", "floor": 0.5})
    assert [run.run_id for run in open_store(worse.store_url).runs()] == before
