"""Three verdicts, each by construction: what must fail fails, what must pass passes, and the rest is undecided."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import PolicyError, UnknownName, UsageError
from harness.core.exchange import Answer, BackendFailure, Request, TextScored
from harness.core.items import Item, Passage, Prompt, Target, Text
from harness.evaluation import EvaluationSettings
from harness.gating import Judgement, Verdict, gate
from harness.policy import Policy, policy_from_json
from harness.prompting import Asking
from harness.stats.family import holm_adjusted
from harness.store import StoredRun, open_store
from harness.suites import Suite
from harness.transforms.plan import plan_from_json
from tests.evaluation.made_suites import (
    answering,
    good,
    is_picked,
    prompt_text,
    question,
    run_of,
    scripted,
    suite,
    wrong_on,
)

N = 300


def policy(*rules: Mapping[str, Any], **fields: Any) -> Policy:
    return policy_from_json({"schema": 1, "rules": list(rules) or [{}], **fields})


def only(verdict: Verdict) -> Judgement:
    (judgement,) = verdict.judgements
    return judgement


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def baseline(folder: Path) -> StoredRun:
    return run_of(good(), [suite(n=N, languages=("en", "zh"))], folder)


@pytest.fixture(scope="module")
def plain(folder: Path) -> StoredRun:
    """All right, in English only."""
    return run_of(good("plain"), [suite(n=N)], folder)


@pytest.fixture(scope="module")
def worse(folder: Path) -> StoredRun:
    """Wrong on a fifth of what the baseline has right."""
    return run_of(wrong_on(0.2), [suite(n=N, languages=("en", "zh"))], folder)


def test_a_planted_loss_of_a_fifth_fails(baseline: StoredRun, worse: StoredRun) -> None:
    verdict = gate(candidate=worse, baseline=baseline, policy=policy())
    found = only(verdict)
    assert (verdict.status, verdict.exit_code, found.status) == ("fail", 1, "fail")
    assert found.reason.startswith("worse by ")
    assert "beyond the margin of 0.05" in found.reason


def test_an_equal_candidate_passes_with_300_items(baseline: StoredRun, folder: Path) -> None:
    same = run_of(good("same"), [suite(n=N, languages=("en", "zh"))], folder)
    verdict = gate(candidate=same, baseline=baseline, policy=policy())
    assert (verdict.status, verdict.exit_code) == ("pass", 0)
    assert only(verdict).reason.startswith("a loss of 0.05 or more is ruled out")


def test_a_gain_passes(baseline: StoredRun, worse: StoredRun) -> None:
    assert gate(candidate=baseline, baseline=worse, policy=policy()).status == "pass"


def test_twenty_items_decide_nothing(tmp_path: Path) -> None:
    runs = [run_of(good(name), [suite(n=20)], tmp_path) for name in ("b", "c")]
    verdict = gate(candidate=runs[1], baseline=runs[0], policy=policy())
    assert (verdict.status, verdict.exit_code) == ("inconclusive", 3)
    assert "can be neither shown nor ruled out with 20 items" in only(verdict).reason
    # Tango's score bound on 0 of n discordant pairs excludes .05 from z^2 (1 - .05) / .05 = 51.4 items on;
    # four of five times, at the spread seen, needs more.
    assert only(verdict).items_needed is not None
    assert only(verdict).items_needed > 50  # type: ignore[operator]


def test_a_significant_loss_within_the_margin_is_neither_failed_nor_passed(folder: Path) -> None:
    own = [suite(n=N)]
    before = run_of(good(), own, folder)
    after = run_of(wrong_on(0.04, name="little"), own, folder)
    verdict = gate(candidate=after, baseline=before, policy=policy({"margin": 0.06}))
    found = only(verdict)
    assert found.harm_p is not None
    assert found.harm_p < 0.05
    assert found.status != "fail"
    if found.status == "inconclusive":
        assert "but within the margin of 0.06" in found.reason


def test_an_inconclusive_verdict_only_warns_where_the_policy_says_so(tmp_path: Path) -> None:
    run = run_of(good(), [suite(n=20)], tmp_path)
    verdict = gate(candidate=run, baseline=run, policy=policy(inconclusive="warn"))
    assert (verdict.status, verdict.exit_code) == ("inconclusive", 0)


def test_a_failure_is_a_failure_whatever_inconclusive_means(baseline: StoredRun, worse: StoredRun) -> None:
    assert gate(candidate=worse, baseline=baseline, policy=policy(inconclusive="warn")).exit_code == 1


@pytest.mark.parametrize(("share", "expected"), [(0.0, "pass"), (0.04, "inconclusive")])
def test_more_than_one_percent_of_system_failures_decides_nothing(
    plain: StoredRun, tmp_path: Path, share: float, expected: str
) -> None:
    def script(request: Request) -> Answer | str:
        if is_picked(prompt_text(request), share, seed="failed"):
            return BackendFailure("server", "503")
        return answering()(request)

    after = run_of(scripted(script, name="failing"), [suite(n=N)], tmp_path)
    verdict = gate(candidate=after, baseline=plain, policy=policy())
    assert verdict.status == expected
    if share:
        assert "failed in a system, not in the model (the policy allows 1%)" in only(verdict).reason


def test_failures_are_allowed_as_far_as_the_policy_says(plain: StoredRun, tmp_path: Path) -> None:
    def script(request: Request) -> Answer | str:
        if is_picked(prompt_text(request), 0.04, seed="failed"):
            return BackendFailure("server", "503")
        return answering()(request)

    after = run_of(scripted(script, name="failing"), [suite(n=N)], tmp_path)
    assert gate(candidate=after, baseline=plain, policy=policy(max_failed_share=0.1)).status == "pass"


# Nothing to compare is never a pass


def test_no_shared_item_is_inconclusive(plain: StoredRun, tmp_path: Path) -> None:
    after = run_of(good("c"), [suite(n=N, first=N)], tmp_path)
    verdict = gate(candidate=after, baseline=plain)
    assert (verdict.status, verdict.exit_code, verdict.judgements) == ("inconclusive", 3, ())
    assert "no shared variant may be compared" in verdict.reason
    assert any(difference.kind == "strays" for difference in verdict.differences)


@pytest.mark.parametrize("partial", [EvaluationSettings(limit=250), EvaluationSettings(smoke=True)])
def test_a_partial_candidate_is_inconclusive(tmp_path: Path, partial: EvaluationSettings) -> None:
    before = run_of(good(), [replace(suite(n=N), smoke=200)], tmp_path)
    after = run_of(good("c"), [replace(suite(n=N), smoke=200)], tmp_path, settings=partial)
    found = only(gate(candidate=after, baseline=before, policy=policy()))
    assert found.status == "inconclusive"
    assert "of the suite's variants may be compared (the policy asks for 100%)" in found.reason


def test_a_partial_candidate_can_be_allowed(plain: StoredRun, tmp_path: Path) -> None:
    after = run_of(good("c"), [suite(n=N)], tmp_path, settings=EvaluationSettings(limit=250))
    assert gate(candidate=after, baseline=plain, policy=policy(min_shared=0.8)).status == "pass"


@pytest.mark.parametrize("is_baseline", [True, False])
def test_a_suite_that_one_side_did_not_run_keeps_the_rest_from_passing(
    tmp_path: Path, is_baseline: bool
) -> None:
    whole = run_of(good(), [suite(n=N), suite("more", 20, first=N)], tmp_path)
    part = run_of(good("c"), [suite(n=N)], tmp_path)
    before, after = (whole, part) if is_baseline else (part, whole)
    verdict = gate(candidate=after, baseline=before, policy=policy())
    assert verdict.status == "inconclusive"
    by_suite = {judgement.effect.suite: judgement.status for judgement in verdict.judgements}
    assert by_suite == {"letters": "pass", "more": "inconclusive"}
    assert gate(candidate=after, baseline=before, policy=policy(), suite="letters").status == "pass"


def test_a_suite_with_other_prompts_keeps_the_rest_from_passing(tmp_path: Path) -> None:
    asking = Asking("short_answer", samples=2)
    free = suite("free", N, task="short_answer", first=N)
    before = run_of(good(), [suite(n=N), free], tmp_path)
    after = run_of(good("c"), [suite(n=N), replace(free, asking=asking)], tmp_path)
    verdict = gate(candidate=after, baseline=before, policy=policy())
    assert verdict.status == "inconclusive"
    assert {judgement.effect.suite for judgement in verdict.judgements} == {"letters", "free"}


# What a rule says


def test_a_stricter_rule_on_a_suite_is_not_lost_behind_a_general_one(
    plain: StoredRun, tmp_path: Path
) -> None:
    after = run_of(wrong_on(0.03, name="c"), [suite(n=N)], tmp_path)
    verdict = gate(
        candidate=after,
        baseline=plain,
        policy=policy({"margin": 0.2}, {"suite": "letters", "margin": 0.001}),
    )
    assert [judgement.status for judgement in verdict.judgements] == ["pass", "fail"]
    # Two rules on the same numbers are one hypothesis: Holm takes nothing from either.
    assert {judgement.harm_p for judgement in verdict.judgements} == {
        only(gate(candidate=after, baseline=plain, policy=policy({"margin": 0.2}))).harm_p
    }


def test_harm_is_adjusted_over_the_blocking_rules_by_holm(tmp_path: Path) -> None:
    shares = (0.0, 0.02, 0.05, 0.1)
    suites = [suite(f"s{place}", 120, first=120 * place) for place in range(len(shares))]

    def script(request: Request) -> Answer | str:
        number = int(prompt_text(request).split("number ")[1].split()[0])
        return answering(lambda text: is_picked(text, shares[number // 120]))(request)

    before = run_of(good(), suites, tmp_path)
    after = run_of(scripted(script, name="c"), suites, tmp_path)
    together = gate(candidate=after, baseline=before, policy=policy({}, {"suite": "s0", "tier": "advisory"}))
    alone = [
        only(gate(candidate=after, baseline=before, policy=policy({"suite": own.name}))).harm_p
        for own in suites
    ]
    found = [judgement.harm_p for judgement in together.judgements if judgement.is_blocking]
    assert found == pytest.approx(list(holm_adjusted(alone)))  # type: ignore[arg-type]


def test_an_advisory_rule_never_fails_a_build(baseline: StoredRun, worse: StoredRun) -> None:
    verdict = gate(candidate=worse, baseline=baseline, policy=policy({"tier": "advisory"}, {"margin": 0.5}))
    assert [judgement.status for judgement in verdict.judgements] == ["fail", "pass"]
    assert verdict.status == "pass"


def test_advisory_rules_alone_are_no_pass(baseline: StoredRun) -> None:
    verdict = gate(candidate=baseline, baseline=baseline, policy=policy({"tier": "advisory"}))
    assert verdict.status == "inconclusive"
    assert verdict.reason == "The policy has no blocking rule for what was compared."


def test_a_slice_is_judged_on_its_items_alone(tmp_path: Path) -> None:
    own = [suite(n=N, languages=("en", "zh"))]
    before = run_of(good(), own, tmp_path)
    after = run_of(  # wrong on a third of the odd numbers, which are the Chinese items
        scripted(answering(lambda text: int(text.split("number ")[1].split()[0]) % 6 == 1), name="c"),
        own,
        tmp_path,
    )

    def judged(**where: Any) -> Judgement:
        return only(gate(candidate=after, baseline=before, policy=policy({"slice": where})))

    assert judged(language="zh").effect.effect == pytest.approx(-1 / 3)
    assert judged(language="zh").status == "fail"
    assert judged(language="en").effect.effect == 0
    assert judged(tags={"parity": "odd"}).effect.n_items == N // 2
    assert judged(tags={"parity": "odd"}).status == "fail"
    assert judged(language="zh", tags={"parity": "odd"}).effect.n_items == N // 2
    by_language = gate(candidate=after, baseline=before, policy=policy({"by": "language"})).judgements
    assert [judgement.effect.slice.language for judgement in by_language] == ["en", "zh"]


@pytest.mark.parametrize(("margin", "expected"), [("30%", "pass"), ("5%", "fail"), (0.3, "pass")])
def test_a_relative_margin_is_a_share_of_the_baseline(
    baseline: StoredRun, worse: StoredRun, margin: object, expected: str
) -> None:
    found = only(gate(candidate=worse, baseline=baseline, policy=policy({"margin": margin})))
    assert found.status == expected
    assert found.margin == pytest.approx(float(str(margin).rstrip("%")) / (100 if "%" in str(margin) else 1))


def test_a_relative_margin_of_nothing_decides_nothing(tmp_path: Path) -> None:
    run = run_of(wrong_on(1.0), [suite(n=N)], tmp_path)
    found = only(gate(candidate=run, baseline=run, policy=policy({"margin": "10%"})))
    assert found.status == "inconclusive"
    assert "the baseline's value is 0" in found.reason


def test_a_loss_metric_is_judged_the_right_way_round(tmp_path: Path) -> None:
    def scoring(nats: float) -> Callable[[Request], Answer]:
        def script(request: Request) -> Answer:
            jitter = 0.1 if is_picked(prompt_text(request), 0.5, seed=str(nats)) else 0.0
            return TextScored(-nats - jitter, 10)

        return script

    items = tuple(Item(language="en", prompt=Prompt(text=Text(question(number)))) for number in range(60))
    own = replace(
        suite("texts", 1, asking=Asking(task="likelihood")),
        items=items,
        metrics=("nats_per_token_loss",),
        primary="nats_per_token_loss",
    )
    low, high = (run_of(scripted(scoring(nats), name=str(nats)), [own], tmp_path) for nats in (10.0, 12.0))
    rule = policy({"margin": 0.1})
    assert gate(candidate=high, baseline=low, policy=rule).status == "fail"
    assert gate(candidate=low, baseline=high, policy=rule).status == "pass"


def test_unreadable_answers_fail_the_rate_as_well_as_the_score(tmp_path: Path) -> None:
    own = [suite("free", N, task="short_answer")]

    def silent(request: Request) -> Answer | str:
        return "" if is_picked(prompt_text(request), 0.2) else "alpha"

    before = run_of(good(), own, tmp_path)
    after = run_of(scripted(silent, name="c"), own, tmp_path)
    verdict = gate(candidate=after, baseline=before, policy=policy())
    by_metric = {judgement.effect.metric: judgement for judgement in verdict.judgements}
    assert set(by_metric) == {"exact_match", "unparsed_rate", "abstained_rate"}
    failed = {name for name, judgement in by_metric.items() if judgement.status == "fail"}
    assert "exact_match" in failed
    assert failed & {"unparsed_rate", "abstained_rate"}
    (rate,) = (by_metric[name].effect for name in failed - {"exact_match"})
    assert (rate.direction, rate.baseline) == ("lower", pytest.approx(0.0))
    assert rate.effect == pytest.approx(-rate.candidate)  # type: ignore[operator]


def positions(n: int) -> Suite:
    """Items whose key passage is moved through five places."""
    items = tuple(
        Item(
            language="en",
            prompt=Prompt(
                context=tuple(
                    Passage(f"KEY {number}" if place == 2 else f"filler {number} {place}", key=place == 2)
                    for place in range(5)
                ),
                question=Text(question(number)),
            ),
            target=Target(answers=("alpha",)),
        )
        for number in range(n)
    )
    own = suite("places", 1, task="short_answer")
    return replace(own, items=items, plan=plan_from_json(["context_rotation"]))


def test_a_collapse_at_one_position_is_found_there(tmp_path: Path) -> None:
    def collapsed(text: str) -> bool:  # cannot see what stands last
        passages = [line for line in text.splitlines() if "KEY" in line or "filler" in line]
        return "KEY" in passages[-1]

    own = [positions(100)]
    before = run_of(good(), own, tmp_path)
    after = run_of(scripted(answering(collapsed), name="c"), own, tmp_path)
    verdict = gate(candidate=after, baseline=before, policy=policy({"by": "position", "suite": "places"}))
    by_position = {judgement.effect.slice.position: judgement for judgement in verdict.judgements}
    assert sorted(by_position) == [0.0, 0.25, 0.5, 0.75, 1.0]  # type: ignore[type-var]
    assert [place for place, judgement in by_position.items() if judgement.status == "fail"] == [1.0]
    assert by_position[1.0].effect.effect == -1.0


# What a rule cannot say


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"suite": "leters"}, "rules.*no suite of these runs matches 'leters'. Did you mean 'letters'"),
        ({"metric": "acuracy"}, "has the metric 'acuracy'. Did you mean 'accuracy'"),
        ({"suite": "l*", "metric": "rouge"}, "no suite that matches 'l\\*' has the metric 'rouge'"),
        ({"transform": "typo"}, "selects no variant of letters; check transform, family, slice and by"),
        ({"slice": {"language": "fr"}}, "selects no variant of letters"),
        ({"slice": {"tags": {"parity": "none"}}}, "selects no variant of letters"),
        ({"by": "position"}, "selects no variant of letters"),
        ({"margin": 1}, "a margin of 1 forbids nothing: 'accuracy' lies between 0 and 1"),
    ],
)
def test_a_rule_that_cannot_be_applied_is_told_with_its_line(
    baseline: StoredRun, tmp_path: Path, rule: Mapping[str, Any], expected: str
) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(f"schema: 1\nrules:\n  - {json.dumps(rule)}\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=expected.removeprefix("rules.*")) as caught:
        gate(candidate=baseline, baseline=baseline, policy=path)
    assert str(caught.value).startswith(f"{path}:3: ")


def test_without_a_baseline_nothing_is_judged(baseline: StoredRun) -> None:
    with pytest.raises(UsageError, match="No baseline: name one with --baseline"):
        gate(candidate=baseline)


def test_a_policy_names_the_baseline(baseline: StoredRun, folder: Path) -> None:
    open_store(folder).set_name("production", baseline.run_id, reason="test", author="test")
    verdict = gate(candidate=baseline, policy=policy(baseline={"run": "production"}), store=folder)
    assert verdict.baseline == ((baseline.run_id, "good"),)
    with pytest.raises(UsageError, match="pass the store it is in"):
        gate(candidate=baseline, policy=policy(baseline={"run": "production"}))


def test_an_unknown_suite_is_an_error_not_an_inconclusive_verdict(baseline: StoredRun) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'letters'"):
        gate(candidate=baseline, baseline=baseline, suite="leters")


def test_a_verdict_is_the_same_twice(baseline: StoredRun, worse: StoredRun) -> None:
    texts = [
        json.dumps(gate(candidate=worse, baseline=baseline).to_json(), allow_nan=False) for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_the_items_needed_follow_from_the_spread_that_was_seen(tmp_path: Path) -> None:
    def wrong_between(first: int, last: int) -> Callable[[str], bool]:
        return lambda text: first <= int(text.split("number ")[1].split()[0]) < last

    own = [suite(n=80)]
    before = run_of(scripted(answering(wrong_between(0, 8)), name="b"), own, tmp_path)
    after = run_of(scripted(answering(wrong_between(8, 16)), name="c"), own, tmp_path)
    found = only(gate(candidate=after, baseline=before, policy=policy()))
    assert found.status == "inconclusive"
    # n = discordance (z_.95 + z_.80)^2 / margin^2 = .2 (1.645 + .842)^2 / .05^2 = 495, by the normal approximation.
    assert found.items_needed == pytest.approx(495, rel=0.2)  # the score interval is wider
