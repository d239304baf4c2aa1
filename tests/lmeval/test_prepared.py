"""Running prepared tasks: what fails is missing, prompts do not move, nothing is left behind."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from harness.backends.scripted import scripted
from harness.core.errors import BackendError, TaskError, UnknownName
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    OptionScore,
    Request,
    ScoreText,
    TextScored,
)
from harness.lmeval import PreparedTasks, prepare_tasks

NAMES = ("tiny_agreement", "tiny_questions", "tiny_stories", "tiny_sums")


def shortest_first(request: Request) -> Answer | str:
    """Prefers the shorter option; scores a text by its length; says "girl"."""
    if isinstance(request, Choose):
        return Chosen(tuple(OptionScore(-float(len(option)), 1) for option in request.options))
    if isinstance(request, ScoreText):
        return TextScored(-float(len(request.text)), 4)
    return " girl"


@pytest.fixture(scope="module")
def prepared(tasks_copy: Path) -> PreparedTasks:
    return prepare_tasks(NAMES, include_paths=[tasks_copy])


def test_options_of_one_document_are_asked_together(prepared: PreparedTasks) -> None:
    asked: list[Request] = []
    prepared.run(scripted(lambda request: (asked.append(request), shortest_first(request))[1]))
    assert len(asked) == prepared.n_requests == 7 + 6 + 3 + 4
    assert len({request.request_id for request in asked}) == len(asked)
    assert all(len(request.options) == 2 for request in asked if isinstance(request, Choose))
    (settings,) = {request.settings for request in asked if isinstance(request, Generate)}
    assert (settings.max_tokens, settings.stop, settings.temperature) == (12, ("\n",), 0.0)


def test_scores_are_those_worked_out_by_hand(prepared: PreparedTasks) -> None:
    agreement, _, stories, sums = prepared.run(scripted(shortest_first))
    values = {(row.variant_id, row.metric): row.value for row in agreement.scores}
    for row in agreement.items:
        good, bad = agreement_options(row.item)
        # The shorter option wins; of equals the first, which is the good one.
        assert values[row.variant_id, "acc"] == float(len(good) <= len(bad))
    # By hand: "girl" is the first of four answers.
    assert [row.value for row in sums.scores if row.metric == "exact_match[strict-match]"] == [
        1.0,
        0.0,
        0.0,
        0.0,
    ]
    texts = {row.variant_id: row.prompt_text for row in stories.items}
    for score in stories.scores:
        if score.metric == "nats_per_token_loss":
            assert score.value == len(texts[score.variant_id]) / 4


def agreement_options(item: str) -> list[str]:
    import json

    options: list[str] = json.loads(item)["prompt"]["options"]
    return options


def test_a_document_the_backend_could_not_answer_is_missing_and_in_no_aggregate(
    prepared: PreparedTasks,
) -> None:
    def fails_on_chinese(request: Request) -> Answer | str:
        text = request.text if isinstance(request, ScoreText) else str(request)
        if any("\u4e00" <= character <= "\u9fff" for character in text):
            return BackendFailure("out_of_memory", "no room")
        return shortest_first(request)

    results = {result.record.name: result for result in prepared.run(scripted(fails_on_chinese))}
    agreement = results["tiny_agreement"]
    failed = [row for row in agreement.scores if row.outcome == "failed"]
    assert {row.metric for row in failed} == {"acc", "acc_norm"}
    assert len(failed) == 4  # two Chinese documents x two metrics
    assert all(row.value is None and row.language == "zh" for row in failed)
    scored = [row.value for row in agreement.scores if row.metric == "acc" and row.outcome == "scored"]
    assert len(scored) == 5
    reported = agreement.record.asking["reported"]
    assert isinstance(reported, dict)
    assert reported["acc,none"] == sum(value or 0.0 for value in scored) / 5
    outputs = [row for row in agreement.outputs if row.outcome == "failed"]
    assert [row.reason for row in outputs] == ["out_of_memory: no room"] * 2
    assert all(row.option_logprobs is None and row.predicted is None for row in outputs)


def test_a_run_in_which_everything_failed_still_names_its_metrics(prepared: PreparedTasks) -> None:
    results = prepared.run(scripted(lambda request: BackendFailure("server", "down")))
    for result, primary in zip(
        results, ("acc", "acc", "bits_per_byte_loss", "exact_match[strict-match]"), strict=True
    ):
        assert result.record.primary == primary
        assert {row.outcome for row in result.scores} == {"failed"}
        assert all(row.value is None for row in result.scores)


def test_an_answer_no_filter_could_read_is_wrong_and_marked_unparsed(prepared: PreparedTasks) -> None:
    (sums,) = prepared.run(
        scripted(lambda request: "!!" if isinstance(request, Generate) else shortest_first(request))
    )[3:]
    rows = [row for row in sums.scores if row.metric == "exact_match[strict-match]"]
    assert {(row.value, row.outcome) for row in rows} == {(0.0, "unparsed")}
    assert {row.predicted for row in sums.outputs} == {None}
    assert {row.text for row in sums.outputs} == {"!!"}


def test_prepared_tasks_run_on_one_backend_after_another(prepared: PreparedTasks) -> None:
    first = prepared.run(scripted(shortest_first))
    prepared.run(scripted(lambda request: BackendFailure("server", "down")))
    assert prepared.run(scripted(shortest_first)) == first


def test_a_limit_keeps_the_prompts_of_the_full_run(tasks_copy: Path) -> None:
    full = prepare_tasks(["tiny_questions"], include_paths=[tasks_copy]).tasks[0]
    part = prepare_tasks(["tiny_questions"], include_paths=[tasks_copy], limit=3).tasks[0]
    assert [each.document for each in part.prompted] == [each.document for each in full.prompted[:3]]
    assert part.digest != full.digest
    assert (
        len({each.document.calls[0][0].rsplit("Question", 1)[0] for each in full.prompted}) > 1
    )  # drawn anew


def test_prompts_do_not_depend_on_other_tasks_or_on_the_callers_generators(tasks_copy: Path) -> None:
    random.seed(99)
    before = random.getstate()
    alone = prepare_tasks(["tiny_questions"], include_paths=[tasks_copy])
    assert random.getstate() == before
    among = prepare_tasks(["tiny_sums", "tiny_questions"], include_paths=[tasks_copy])
    assert alone.digests[0] == among.digests[1]


def test_another_number_of_examples_is_another_digest_of_the_same_items(tasks_copy: Path) -> None:
    two = prepare_tasks(["tiny_questions"], include_paths=[tasks_copy])
    none = prepare_tasks(["tiny_questions"], include_paths=[tasks_copy], num_fewshot=3)
    assert two.digests != none.digests
    ids = [[each.document.variant.variant_id for each in one.tasks[0].prompted] for one in (two, none)]
    assert ids[0] == ids[1]
    assert none.tasks[0].facts.asking["num_fewshot"] == 3


def test_a_task_that_says_zero_examples_keeps_it_as_in_lm_eval(tasks_copy: Path) -> None:
    prepared = prepare_tasks(["tiny_sums"], include_paths=[tasks_copy], num_fewshot=3)
    assert prepared.tasks[0].facts.asking["num_fewshot"] == 0


def test_more_examples_than_there_are_is_one_clear_error(tasks_copy: Path) -> None:
    with pytest.raises(TaskError, match="The prompts of task 'tiny_questions' cannot be built"):
        prepare_tasks(["tiny_questions"], include_paths=[tasks_copy], num_fewshot=50)


def test_what_will_be_run_is_known_before_and_does_not_depend_on_answers(prepared: PreparedTasks) -> None:
    before = prepared.records
    results = prepared.run(scripted(shortest_first))
    for early, late in zip(before, (result.record for result in results), strict=True):
        assert (early.name, early.digest, early.primary, early.task) == (
            late.name,
            late.digest,
            late.primary,
            late.task,
        )
        assert (early.n_items, early.n_variants, early.n_rejected) == (
            late.n_items,
            late.n_variants,
            late.n_rejected,
        )
        assert early.asking == {name: value for name, value in late.asking.items() if name != "reported"}
    assert prepared.records == before
    assert [record.digest for record in before] == list(prepared.digests)
    assert [prepared.requests_of(name) for name in prepared.names] == [7, 6, 3, 4]
    with pytest.raises(UnknownName, match="Did you mean 'tiny_sums'"):
        prepared.requests_of("tiny_sum")


def test_equal_documents_are_asked_once_and_listed(prepared: PreparedTasks) -> None:
    (duplicate,) = prepared.duplicates
    assert (duplicate.task, duplicate.doc_id, duplicate.first_doc_id) == ("tiny_agreement", 6, 0)


def test_an_answer_of_the_wrong_kind_is_the_backends_fault(prepared: PreparedTasks) -> None:
    with pytest.raises(BackendError, match="breaks its contract"):
        prepared.run(scripted(lambda request: Chosen((OptionScore(-1.0, 1),))))


def test_repeats_are_one_sampled_request_and_one_row_each(tasks_copy: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tasks_copy, tmp_path / "own"))
    text = (folder / "sums.yaml").read_text()
    text = text.replace("do_sample: false", "do_sample: true\n  temperature: 0.7\n  top_p: 0.9")
    (folder / "sums.yaml").write_text(text + "repeats: 3\n")
    prepared = prepare_tasks(["tiny_sums"], include_paths=[folder], seed=5)
    asked: list[Request] = []
    (sums,) = prepared.run(scripted(lambda request: (asked.append(request), " girl")[1]))
    assert isinstance(asked[0], Generate)
    assert (asked[0].n, asked[0].settings.temperature, asked[0].settings.top_p, asked[0].settings.seed) == (
        3,
        0.7,
        0.9,
        5,
    )
    assert [row.sample for row in sums.outputs[:3]] == [0, 1, 2]
    assert {row.sample for row in sums.scores} == {0}
