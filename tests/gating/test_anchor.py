"""A frozen anchor beside the moving baseline, and slices that nobody named."""

from __future__ import annotations

import pytest

from harness.core.exchange import Answer, Request
from harness.gating import gate
from harness.gating.discovered import discovered_slices
from harness.gating.gate import judged
from harness.policy import policy_from_json
from harness.store import StoredRun
from tests.evaluation.made_suites import answering, prompt_text, run_of, scripted, suite

N = 400
OWN = [suite(n=N)]
POLICY = policy_from_json({"schema": 1, "rules": [{"margin": 0.05}]})


def losing(first: int, name: str, *, only_odd: bool = False) -> object:
    """Wrong on the first items, or on the odd ones of them."""

    def wrong(text: str) -> bool:
        number = int(text.split("number ")[1].split()[0])
        return number < first and (number % 2 == 1 or not only_odd)

    def script(request: Request) -> Answer | str:
        return answering(lambda _: wrong(prompt_text(request)))(request)

    return scripted(script, name=name)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, StoredRun]:
    folder = tmp_path_factory.mktemp("anchor")
    made = {n: run_of(losing(n, f"lost {n}"), OWN, folder) for n in (0, 12, 24, 36)}  # type: ignore[arg-type]
    made[-1] = run_of(losing(40, "odd", only_odd=True), OWN, folder)  # type: ignore[arg-type]
    return made


def test_small_steps_within_the_margin_pass_one_by_one_and_fail_against_the_anchor(
    runs: dict[int, StoredRun],
) -> None:
    steps = [
        gate(candidate=runs[after], baseline=runs[before], policy=POLICY)
        for before, after in ((0, 12), (12, 24), (24, 36))
    ]
    # By hand: each step loses 12 of 400, 3 points; all three lose 9.
    assert [step.status for step in steps] == ["pass", "pass", "pass"]
    crept = gate(candidate=runs[36], baseline=runs[24], anchor=runs[0], policy=POLICY)
    assert crept.status == "fail"
    moving, frozen = crept.judgements
    assert (moving.against, moving.status, frozen.against, frozen.status) == (
        "baseline",
        "pass",
        "anchor",
        "fail",
    )
    assert frozen.effect.effect == pytest.approx(-0.09)
    assert frozen.title == "letters::accuracy::all::against the anchor"
    assert crept.anchor == ((runs[0].run_id, "lost 0"),)


def test_two_comparisons_share_the_level(runs: dict[int, StoredRun]) -> None:
    alone = gate(candidate=runs[36], baseline=runs[24], policy=POLICY).judgements[0]
    both = gate(candidate=runs[36], baseline=runs[24], anchor=runs[0], policy=POLICY).judgements[0]
    assert alone.harm_p is not None and both.harm_p == pytest.approx(2 * alone.harm_p)
    assert both.certify_p == alone.certify_p


def test_a_slice_nobody_named_is_found_and_fails_nothing(runs: dict[int, StoredRun]) -> None:
    found = judged(
        candidate=runs[-1],
        baseline=runs[0],
        policy=policy_from_json({"schema": 1, "rules": [{"margin": 0.2}]}),
    )
    slices = discovered_slices(found.pairing, tags=found.tags)
    # Twenty odd items were lost and no even one: mid-p is 2^-20 / 2, and
    # Benjamini and Hochberg double the smaller of two.
    assert [(each.effect.slice.title, each.effect.lost) for each in slices] == [("parity=odd", 20)]
    assert slices[0].q_value == pytest.approx(2 * (0.5**20) / 2)
    assert found.verdict.status == "pass"


def test_an_unchanged_candidate_has_no_slice_to_show(runs: dict[int, StoredRun]) -> None:
    found = judged(candidate=runs[0], baseline=runs[0], policy=POLICY)
    assert discovered_slices(found.pairing, tags=found.tags) == ()
