"""The average over tasks: a thin loss everywhere fails a build that no single suite would fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.exchange import Answer, Request
from harness.gating import gate
from harness.gating.average import is_average
from harness.policy import policy_from_json
from tests.evaluation.made_suites import answering, good, prompt_text, run_of, scripted, suite

N_SUITES, N = 6, 40


def number_of(request: Request) -> int:
    return int(prompt_text(request).split("number ")[1].split()[0])


def wrong_on_first(n: int) -> object:
    """Wrong on the first n items of each suite."""

    def script(request: Request) -> Answer | str:
        return answering(lambda text: number_of(request) % N < n)(request)

    return script


def policy(**fields: object) -> object:
    return policy_from_json({"schema": 1, "rules": [{"margin": 0.05}], **fields})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("average")


SUITES = [suite(f"s{place}", N, first=N * place) for place in range(N_SUITES)]


def test_four_items_lost_in_each_of_six_suites_fail_together_and_not_alone(folder: Path) -> None:
    before = run_of(good(), SUITES, folder)
    after = run_of(scripted(wrong_on_first(4), name="thin"), SUITES, folder)  # type: ignore[arg-type]
    verdict = gate(candidate=after, baseline=before, policy=policy())  # type: ignore[arg-type]
    alone = [one for one in verdict.judgements if not is_average(one)]
    (average,) = [one for one in verdict.judgements if is_average(one)]
    # By hand: each suite loses 4 of 40, alone p = 1/16; all 24 losses on one side have p = 2^-24, doubled by the split.
    assert len(alone) == N_SUITES and all(one.status == "inconclusive" for one in alone)
    assert average.harm_p == pytest.approx(2 * 0.5**24)
    assert average.effect.effect == pytest.approx(-0.1)
    assert (average.margin, average.status, average.is_blocking) == (pytest.approx(0.05), "fail", True)
    assert (verdict.status, verdict.exit_code) == ("fail", 1)
    assert average.title == "6 tasks::average over tasks::all"
    assert average.reason.startswith("worse by 0.1 on average, beyond the mean margin of 0.05")


def test_a_thin_loss_within_the_margin_is_not_told(folder: Path) -> None:
    before = run_of(good(), SUITES, folder)
    after = run_of(scripted(wrong_on_first(1), name="thinner"), SUITES, folder)  # type: ignore[arg-type]
    verdict = gate(candidate=after, baseline=before, policy=policy())  # type: ignore[arg-type]
    assert not any(is_average(one) for one in verdict.judgements)
    assert verdict.status == "inconclusive"


def test_a_suite_too_small_to_ever_fail_says_so(folder: Path) -> None:
    tiny = [suite("tiny", 4)]
    before = run_of(good(), tiny, folder)
    after = run_of(scripted(wrong_on_first(4), name="all wrong"), tiny, folder)  # type: ignore[arg-type]
    verdict = gate(candidate=after, baseline=before, policy=policy())  # type: ignore[arg-type]
    # By hand: four losses of four have p = 1/16, above .05, whatever else happens.
    assert verdict.status == "inconclusive"
    assert "can never fail and cannot pass an unchanged model" in verdict.judgements[0].reason
