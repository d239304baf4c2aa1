"""Items that must be right: found when wrong, confirmed before they count, left out while quarantined."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.core.codec import item_to_json
from harness.core.errors import DataError, PolicyError
from harness.core.exchange import GenerationSettings, Request
from harness.evaluation import EvaluationSettings
from harness.gating import Judgement, Verdict, gate
from harness.policy import load_policy
from harness.prompting import Asking
from harness.store import StoredRun
from tests.evaluation.made_suites import answering, good, item, prompt_text, question, run_of, scripted, suite

N = 60
TODAY = date(2026, 6, 1)


def wrong_only_on(number: int, *, name: str) -> Any:
    return scripted(answering(lambda text: question(number) in text), name=name)


def written(folder: Path, lines: list[Any], extra: str = "") -> Path:
    (folder / "items").mkdir(exist_ok=True)
    (folder / "items" / "refunds.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    path = folder / "release.gate.yaml"
    path.write_text(f"schema: 1\nrules: [{{margin: 0.3}}]\nmust_pass: [items/refunds.jsonl]\n{extra}")
    return path


def judged(folder: Path, candidate: Any, lines: list[Any], extra: str = "") -> tuple[Verdict, Judgement]:
    baseline = run_of(good(), [suite(n=N)], folder / "runs")
    verdict = gate(
        candidate=candidate, baseline=baseline, policy=load_policy(written(folder, lines, extra)), today=TODAY
    )
    return verdict, verdict.judgements[-1]


@pytest.fixture
def slips(tmp_path: Path) -> StoredRun:
    """Wrong on item 7 alone: far within any margin."""
    return run_of(wrong_only_on(7, name="slips"), [suite(n=N)], tmp_path / "runs")


def test_one_wrong_item_of_the_list_fails_the_build(tmp_path: Path, slips: StoredRun) -> None:
    verdict, found = judged(tmp_path, slips, [{"item": item(3).item_id}, {"item": item(7).item_id}])
    assert (verdict.status, found.status) == ("fail", "fail")
    assert found.title == "items/refunds.jsonl::must_pass::all"
    assert found.reason.startswith("1 of 2 must-pass answers are wrong; wrong: ")
    (wrong,) = found.variants
    scores = slips.scores()
    assert set(scores[scores["variant_id"] == wrong[1]]["item_id"]) == {item(7).item_id}


def test_wrong_items_that_are_not_listed_are_no_business_of_the_list(
    tmp_path: Path, slips: StoredRun
) -> None:
    verdict, found = judged(tmp_path, slips, [{"item": item(3).item_id}])
    assert (verdict.status, found.reason) == ("pass", "all 1 must-pass answers are right.")


def test_an_item_may_be_written_as_its_suite_writes_it(tmp_path: Path, slips: StoredRun) -> None:
    _, found = judged(tmp_path, slips, [item_to_json(item(7))])
    assert found.status == "fail"


def test_the_beginning_of_an_id_is_enough(tmp_path: Path, slips: StoredRun) -> None:
    _, found = judged(tmp_path, slips, [{"item": item(7).item_id[:10]}])
    assert found.status == "fail"


def test_an_item_that_was_not_asked_is_no_pass(tmp_path: Path, slips: StoredRun) -> None:
    verdict, found = judged(tmp_path, slips, [{"item": item(3).item_id}, {"item": "ffffffff0000"}])
    assert (verdict.status, found.status) == ("inconclusive", "inconclusive")
    assert "not asked: ffffffff0000 (an id changes with the item's text)" in found.reason


def sampled(folder: Path, script: Any, *, replicate: int = 0) -> StoredRun:
    own = suite(
        n=N, task="short_answer",
        asking=Asking(task="short_answer", generation=GenerationSettings(max_tokens=8, temperature=0.7)),
    )  # fmt: skip
    settings = EvaluationSettings(replicate=replicate)
    return run_of(scripted(script, name="sampled"), [own], folder, settings=settings)


def test_one_wrong_sample_is_to_be_confirmed_and_two_are(tmp_path: Path) -> None:
    def always(request: Request) -> str:
        return "beta" if question(7) in prompt_text(request) else "alpha"

    store = tmp_path / "runs"
    first, second = sampled(store, always), sampled(store, always, replicate=1)
    right = sampled(store, lambda request: "alpha", replicate=2)
    listed = [{"item": item(7, task="short_answer").item_id}]
    policy = load_policy(written(tmp_path, listed))

    def found(*candidate: StoredRun) -> Judgement:
        return gate(candidate=candidate, baseline=right, policy=policy, today=TODAY).judgements[-1]

    assert found(first).status == "inconclusive"
    assert "run again with --replicate 1 and give both runs" in found(first).reason
    assert found(first, second).status == "fail"


def test_an_item_that_a_second_try_gets_right_passes_and_is_told(tmp_path: Path) -> None:
    store = tmp_path / "runs"
    wrong = sampled(store, lambda request: "beta" if question(7) in prompt_text(request) else "alpha")
    again, other = (sampled(store, lambda request: "alpha", replicate=number) for number in (1, 2))
    policy = load_policy(written(tmp_path, [{"item": item(7, task="short_answer").item_id}]))
    found = gate(candidate=[wrong, again], baseline=other, policy=policy, today=TODAY).judgements[-1]
    assert found.status == "pass"
    assert "right in some tries only" in found.reason


def quarantine(until: str) -> str:
    return f"quarantine: [{{item: {item(7).item_id[:8]}, until: {until}, reason: gold under review}}]\n"


def test_a_quarantined_item_is_judged_nowhere_until_its_day_has_passed(
    tmp_path: Path, slips: StoredRun
) -> None:
    listed = [{"item": item(3).item_id}, {"item": item(7).item_id}]
    verdict, found = judged(tmp_path, slips, listed, quarantine("2026-06-01"))
    assert (verdict.status, found.effect.n) == ("pass", 1)
    # One of 60 items is left out on both sides: the rest is still the whole suite.
    assert verdict.judgements[0].effect.n_items == N - 1
    (note,) = [each for each in verdict.differences if each.kind == "quarantine"]
    assert note.message.startswith("1 variants are not judged until 2026-06-01: quarantine of ")
    verdict, _ = judged(tmp_path, slips, listed, quarantine("2026-05-31"))
    assert verdict.status == "fail"
    (note,) = [each for each in verdict.differences if each.kind == "quarantine"]
    assert "ended on 2026-05-31: judged again. Remove the entry." in note.message


def test_a_quarantine_of_nothing_is_told(tmp_path: Path, slips: StoredRun) -> None:
    extra = "quarantine: [{item: ffffffff, until: 2026-12-31, reason: old}]\n"
    verdict, _ = judged(tmp_path, slips, [{"item": item(3).item_id}], extra)
    assert [each.message for each in verdict.differences if each.kind == "quarantine"] == [
        "The quarantine of ffffffff (old) concerns nothing that was asked."
    ]


def test_a_list_that_is_all_quarantined_is_no_pass(tmp_path: Path, slips: StoredRun) -> None:
    _, found = judged(tmp_path, slips, [{"item": item(7).item_id}], quarantine("2026-12-31"))
    assert found.status == "inconclusive"


def test_all_variants_of_an_item_can_be_asked_for(tmp_path: Path) -> None:
    own = [suite(n=N, plan=[{"typo": {"severity": 0.2}}])]
    baseline = run_of(good("typos"), own, tmp_path / "runs")
    plain = question(7)
    fragile = run_of(
        scripted(answering(lambda text: "number 7" in text and plain not in text), name="fragile"),
        own,
        tmp_path / "runs",
    )
    scores = fragile.scores()
    wrong = scores[(scores["item_id"] == item(7).item_id) & (scores["value"] == 0)]
    path = written(tmp_path, [{"item": item(7).item_id}])
    source_only = gate(candidate=fragile, baseline=baseline, policy=path, today=TODAY).judgements[-1]
    assert source_only.status == "pass"
    path.write_text(
        "schema: 1\nrules: [{margin: 0.3}]\nmust_pass: [{path: items/refunds.jsonl, variants: all}]\n"
    )
    every = gate(candidate=fragile, baseline=baseline, policy=path, today=TODAY).judgements[-1]
    assert (every.status == "fail") is (len(wrong) > 0)
    assert every.effect.n == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "refunds.jsonl: has no item"),
        ("{\n", "refunds.jsonl:1:"),
        ('{"id": "abcd"}\n', 'refunds.jsonl:1: item: expected {"item": "..."} with at least four letters'),
        ('\n{"item": "abc"}\n', "refunds.jsonl:2: item: expected"),
        ('{"language": "en", "prompt": {"options": 3}}\n', "refunds.jsonl:1: is no item"),
    ],
)
def test_a_faulty_list_is_told_with_its_line(
    tmp_path: Path, slips: StoredRun, text: str, expected: str
) -> None:
    path = written(tmp_path, [])
    (tmp_path / "items" / "refunds.jsonl").write_text(text)
    with pytest.raises(DataError) as caught:
        gate(candidate=slips, baseline=slips, policy=path, today=TODAY)
    assert expected in str(caught.value)


def test_a_list_that_is_not_there_is_told_at_the_policys_line(tmp_path: Path, slips: StoredRun) -> None:
    path = written(tmp_path, [])
    (tmp_path / "items" / "refunds.jsonl").unlink()
    with pytest.raises(
        PolicyError, match=r"release\.gate\.yaml:3: must_pass: there is no file '.*refunds\.jsonl'"
    ):
        gate(candidate=slips, baseline=slips, policy=path, today=TODAY)
