"""The worst losses of a judgement, in words that nothing of a model can break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.visible import visible
from harness.gating.gate import judged
from harness.policy import policy_from_json
from harness.report.github import annotation
from harness.report.rule_text import rule_text
from harness.report.worst_losses import change_text, worst_losses
from harness.store import Store
from tests.evaluation.made_suites import good, run_of, suite, wrong_on
from tests.report.pair_store import BASELINE, CANDIDATE


def test_at_most_five_losses_are_shown_each_of_another_item(tmp_path: Path) -> None:
    own = [suite(n=60, plan=[{"typo": {"severity": 0.2}}])]
    before, after = (run_of(backend, own, tmp_path) for backend in (good(), wrong_on(0.5)))
    found = judged(candidate=after, baseline=before, policy=policy_from_json({"schema": 1, "rules": [{}]}))
    losses = worst_losses(found.pairing, found.verdict.judgements[0])
    scores = after.scores().set_index("variant_id")
    assert len(losses) == 5
    assert len({scores.loc[loss.variant_id, "item_id"] for loss in losses}) == 5
    # What is shown was lost: the baseline is right everywhere.
    assert all(scores.loc[loss.variant_id, "value"] == 0 for loss in losses)


def test_an_equal_candidate_has_none(tmp_path: Path) -> None:
    own = [suite(n=20)]
    before, after = (run_of(good(name), own, tmp_path) for name in ("a", "b"))
    found = judged(candidate=after, baseline=before, policy=policy_from_json({"schema": 1, "rules": [{}]}))
    assert worst_losses(found.pairing, found.verdict.judgements[0]) == ()


def test_losses_are_of_the_rules_own_slice_and_carry_their_error_class(pair_store: Store) -> None:
    rule = {"suite": "geo-*", "slice": {"language": "zh"}, "transform": "context_rotation"}
    found = judged(
        candidate=CANDIDATE,
        baseline=BASELINE,
        store=pair_store,
        policy=policy_from_json({"schema": 1, "rules": [rule]}),
    )
    losses = worst_losses(found.pairing, found.verdict.judgements[0])
    assert losses
    assert {loss.place.split(" · position")[0] for loss in losses} == {"zh · context_rotation"}
    assert {loss.error_class for loss in losses} == {"refusal"}


def test_hostile_outputs_reach_the_failure_text_as_escapes(pair_store: Store) -> None:
    found = judged(candidate=CANDIDATE, baseline=BASELINE, store=pair_store)
    for judgement in found.verdict.judgements:
        text = rule_text(
            found.verdict, judgement, losses=worst_losses(found.pairing, judgement), store=pair_store.url
        )
        assert text == visible(text)
        line = annotation(judgement.status, text, title=judgement.title)
        assert "\n" not in line


@given(st.text(), st.text())
def test_a_change_is_one_line_without_control_characters(before: str, after: str) -> None:
    text = change_text(before, after)
    assert "\n" not in text
    assert visible(text) == text


words = st.lists(st.sampled_from(["ab", "cd", "三", "四"]), min_size=1, max_size=12).map(" ".join)


@given(words, words)
def test_both_texts_can_be_read_from_the_change(before: str, after: str) -> None:
    """Short texts are shown whole: without what came it is the one, without what went the other."""
    text = change_text(before, after)
    if before == after:
        assert text == f"{before} (both)"
        return
    assert _without(text, "{+", "+}", keep=("[-", "-]")) == before
    assert _without(text, "[-", "-]", keep=("{+", "+}")) == after


def _without(text: str, begin: str, end: str, *, keep: tuple[str, str]) -> str:
    while begin in text:
        head, _, rest = text.partition(begin)
        text = head + rest.partition(end)[2]
    return text.replace(keep[0], "").replace(keep[1], "")


@pytest.mark.parametrize(
    ("is_blocking", "warns_only", "word"),
    [(True, False, "error"), (False, False, "warning"), (True, True, "warning")],
)
def test_only_what_fails_the_build_is_an_error(is_blocking: bool, warns_only: bool, word: str) -> None:
    line = annotation("inconclusive", "x", title="t", is_blocking=is_blocking, warns_only=warns_only)
    assert line.startswith(f"::{word} ")


def test_a_suite_too_small_to_show_any_loss_says_so(tmp_path: Path) -> None:
    runs = [run_of(good(name), [suite(n=8)], tmp_path) for name in ("a", "b")]
    found = judged(candidate=runs[1], baseline=runs[0])
    (judgement, *_) = found.verdict.judgements
    text = rule_text(found.verdict, replace(judgement, detectable=((0.1, None), (0.2, None))))
    assert "no loss of any size could be shown with so few items" in text
