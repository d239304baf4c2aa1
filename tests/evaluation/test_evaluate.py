"""What a run stores: every answer as the outcome it had, and nothing that depends on the order of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.errors import MeasurementError, UsageError
from harness.core.exchange import Answer, BackendFailure, Choose, Chosen, OptionScore, Request
from harness.core.rng import rng_for
from harness.evaluation import EvaluationSettings
from harness.prompting import Asking
from tests.evaluation.made_suites import answering, good, is_picked, run_of, scripted, suite, wrong_on


class _Shuffled:
    """Answers in another order than asked."""

    def __init__(self, seed: int) -> None:
        self.inner, self.seed = wrong_on(0.3), seed

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        answers = sorted(
            self.inner.answer(requests), key=lambda pair: rng_for(self.seed, "order", pair[0]).random()
        )
        yield from answers

    def describe(self) -> dict[str, object]:
        return self.inner.describe()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000))
def test_the_order_in_which_answers_come_changes_nothing(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    suites = [suite(plan=[{"typo": {"severity": 0.1}}]), suite("free", 20, task="short_answer")]
    plain = run_of(wrong_on(0.3), suites, tmp_path_factory.mktemp("plain"))
    other = run_of(_Shuffled(seed), suites, tmp_path_factory.mktemp("other"))  # type: ignore[arg-type]
    assert plain.run_id == other.run_id
    assert plain.manifest.files == other.manifest.files  # hashes of every table


def test_a_systems_failure_is_missing_and_a_models_is_wrong(tmp_path: Path) -> None:
    def script(request: Request) -> Answer | str:
        text = str(request.prompt)  # type: ignore[union-attr]
        if "number 1 " in text:
            return BackendFailure("timeout", "no answer in 60 s")
        if "number 2 " in text:
            return ""
        return "alpha"

    run = run_of(scripted(script, name="x"), [suite(n=4, task="short_answer")], tmp_path)
    scores = run.scores()
    exact = scores[scores["metric"] == "exact_match"]
    by_outcome = exact.groupby("outcome")["value"].apply(list).to_dict()
    assert by_outcome["scored"] == [1.0, 1.0]
    assert [value != value for value in by_outcome["failed"]] == [True]  # NaN in the table: missing
    (unread,) = (values for outcome, values in by_outcome.items() if outcome not in ("scored", "failed"))
    assert unread == [0.0]
    assert run.manifest.counts["failed"] == 1


def test_scores_that_are_no_numbers_are_failures_not_choices(tmp_path: Path) -> None:
    def script(request: Request) -> Answer | str:
        assert isinstance(request, Choose)
        if "number 0 " in str(request.prompt):
            return BackendFailure("nan_logits", "NaN in the logits")
        return Chosen(tuple(OptionScore(-float(place), 1) for place in range(len(request.options))))

    run = run_of(scripted(script, name="x"), [suite(n=3)], tmp_path)
    outputs = run.outputs()
    failed = outputs[outputs["outcome"] == "failed"]
    assert failed["reason"].to_list() == ["nan_logits: NaN in the logits"]
    assert failed["predicted"].isna().all()
    assert run.scores()["value"].notna().sum() == 2


def test_a_run_without_a_single_answer_is_no_run_and_can_be_tried_again(tmp_path: Path) -> None:
    def down(request: Request) -> Answer:
        return BackendFailure("server", "connection refused")

    with pytest.raises(MeasurementError, match=r"all 3 answers failed \(server: connection refused\)"):
        run_of(scripted(down, name="x"), [suite(n=3)], tmp_path)
    assert run_of(scripted(answering(), name="x"), [suite(n=3)], tmp_path).manifest.counts["scored"] == 3


def test_a_limit_picks_the_same_items_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    from dataclasses import replace

    whole = suite(n=30)
    turned = replace(whole, items=whole.items[::-1])
    limited = EvaluationSettings(limit=7)
    one = run_of(good(), [whole], tmp_path / "a", settings=limited)
    two = run_of(good(), [turned], tmp_path / "b", settings=limited)
    assert set(one.outputs()["item_id"]) == set(two.outputs()["item_id"])
    assert len(one.outputs()) == 7


def test_a_larger_limit_asks_for_what_a_smaller_one_asked_and_more(tmp_path: Path) -> None:
    few = run_of(good(), [suite()], tmp_path, settings=EvaluationSettings(limit=5))
    more = run_of(good(), [suite()], tmp_path, settings=EvaluationSettings(limit=9))
    assert set(few.outputs()["variant_id"]) < set(more.outputs()["variant_id"])


def test_every_sample_has_its_own_rows(tmp_path: Path) -> None:
    asking = Asking(task="short_answer", samples=3)
    run = run_of(good(), [suite(n=5, task="short_answer", asking=asking)], tmp_path)
    scores = run.scores()
    assert len(run.outputs()) == 15
    assert sorted(scores[scores["metric"] == "exact_match"]["sample"].unique()) == [0, 1, 2]


def test_the_manifest_counts_outcomes_and_requests(tmp_path: Path) -> None:
    def script(request: Request) -> Answer | str:
        if is_picked(str(request.prompt), 0.5):  # type: ignore[union-attr]
            return BackendFailure("server", "503")
        return answering()(request)

    run = run_of(scripted(script, name="x"), [suite(n=20)], tmp_path)
    counts = run.manifest.counts
    assert counts["scored"] + counts["failed"] == counts["outputs"] == counts["requests"] == 20
    assert 0 < counts["failed"] == int(run.scores()["value"].isna().sum())


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing to run: name a suite"):
        run_of(good(), [], tmp_path)


def test_a_suite_named_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'letters' is asked for 2 times"):
        run_of(good(), [suite(), suite(n=3)], tmp_path)


def test_suites_in_another_order_are_the_same_run(tmp_path: Path) -> None:
    one, two = suite("one", 10), suite("two", 10, first=10)
    backend = good()
    first = run_of(good(), [one, two], tmp_path)
    assert run_of(backend, [two, one], tmp_path).run_id == first.run_id
    assert backend.calls == 0
