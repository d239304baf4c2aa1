"""Prompts, log-likelihoods and scores equal those of plain lm-eval, document by document."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.rows import SuiteResult
from harness.lmeval import prepare_tasks
from tests.lmeval.conftest import HflmBackend, stock_model

if TYPE_CHECKING:
    from lm_eval.models.huggingface import HFLM

NAMES = ("tiny_agreement", "tiny_questions", "tiny_stories", "tiny_sums")


def scores_by_document(result: SuiteResult) -> dict[str, dict[str, float | None]]:
    """doc_hash -> metric -> value, from our rows."""
    hashes = {row.variant_id: json.loads(row.item)["identity"].rsplit("/", 1)[1] for row in result.items}
    found: dict[str, dict[str, float | None]] = {}
    for row in result.scores:
        found.setdefault(hashes[row.variant_id], {})[row.metric] = row.value
    return found


def assert_equal_scores(result: SuiteResult, samples: list[Mapping[str, Any]], *, n_filters: int = 1) -> None:
    """Every number that lm-eval logged for a document is ours, bit for bit."""
    ours = scores_by_document(result)
    n_compared = 0
    for sample in samples:
        for metric in sample["metrics"]:
            value = sample[metric]
            if not isinstance(value, (int, float)):
                continue
            name = metric if n_filters == 1 else f"{metric}[{sample['filter']}]"
            assert ours[sample["doc_hash"]][name] == float(value), (
                result.record.name,
                name,
                sample["doc_id"],
            )
            n_compared += 1
    assert {sample["doc_hash"] for sample in samples} == set(ours)
    assert n_compared or result.record.task == "likelihood"


def by_hash(result: SuiteResult) -> dict[str, Any]:
    hashes = {row.variant_id: json.loads(row.item)["identity"].rsplit("/", 1)[1] for row in result.items}
    return {hashes[row.variant_id]: row for row in result.outputs if row.sample == 0}


def test_every_kind_of_task_scores_as_plain_lm_eval(
    tiny_model: HFLM, tasks_copy: Path, stock_run: Callable[..., dict]
) -> None:
    stock = stock_run(tiny_model, NAMES)
    prepared = prepare_tasks(NAMES, include_paths=[tasks_copy])
    results = {result.record.name: result for result in prepared.run(HflmBackend(tiny_model))}
    for name in NAMES:
        assert_equal_scores(results[name], stock["samples"][name], n_filters=2 if name == "tiny_sums" else 1)
    # The first document of tiny_agreement stands in the file twice and counts once with us.
    assert results["tiny_agreement"].record.n_rejected == 1
    for name in ("tiny_questions", "tiny_stories", "tiny_sums"):
        reported = results[name].record.asking["reported"]
        assert isinstance(reported, dict)
        assert reported
        for figure, value in reported.items():
            assert value == pytest.approx(stock["results"][name][figure], rel=1e-12), figure


def test_what_the_model_reads_and_writes_is_what_plain_lm_eval_shows_and_gets(
    tiny_model: HFLM, tasks_copy: Path, stock_run: Callable[..., dict]
) -> None:
    stock = stock_run(tiny_model, NAMES)
    prepared = prepare_tasks(NAMES, include_paths=[tasks_copy])
    for task in prepared.tasks:
        ours = {each.document.doc_hash: each.document for each in task.prompted}
        for sample in stock["samples"][task.name]:
            calls = tuple(
                tuple(part for part in call if isinstance(part, str)) for call in sample["arguments"]
            )
            assert ours[sample["doc_hash"]].calls == calls
    for result in prepared.run(HflmBackend(tiny_model)):
        rows = by_hash(result)
        for sample in stock["samples"][result.record.name]:
            row = rows[sample["doc_hash"]]
            if row.kind == "choose":
                assert row.option_logprobs == tuple(call[0][0] for call in sample["resps"])
                assert row.option_greedy == tuple(call[0][1] for call in sample["resps"])
            elif row.kind == "score":
                assert row.logprob_nats == sample["resps"][0][0]
            else:
                assert row.text == sample["resps"][0][0]


def test_figures_of_one_document_follow_from_lm_evals_definitions(tiny_model: HFLM, tasks_copy: Path) -> None:
    prepared = prepare_tasks(["tiny_stories", "tiny_questions"], include_paths=[tasks_copy])
    stories, questions = prepared.run(HflmBackend(tiny_model))
    texts = {row.variant_id: row.prompt_text for row in stories.items}
    values = {(row.variant_id, row.metric): row.value for row in (*stories.scores, *questions.scores)}
    total_bits = total_bytes = 0.0
    for row in stories.outputs:
        assert row.logprob_nats is not None
        n_bytes = len(texts[row.variant_id].encode())
        # bits per byte = -log2(p) / bytes, by hand
        assert values[row.variant_id, "bits_per_byte_loss"] == pytest.approx(
            -row.logprob_nats / math.log(2) / n_bytes
        )
        total_bits, total_bytes = total_bits - row.logprob_nats / math.log(2), total_bytes + n_bytes
    reported = stories.record.asking["reported"]
    assert isinstance(reported, dict)
    assert reported["bits_per_byte,none"] == pytest.approx(total_bits / total_bytes)
    # The mean of the documents' Brier scores is lm-eval's figure.
    brier = [value for (_, metric), value in values.items() if metric == "brier_score"]
    reported = questions.record.asking["reported"]
    assert isinstance(reported, dict)
    assert math.fsum(value or 0.0 for value in brier) / len(brier) == pytest.approx(
        reported["brier_score,none"]
    )


def blimp_task(folder: Path, shared_dir: Path) -> None:
    """A BLiMP paradigm, TinyStories texts and story openings as tasks; YAML without a data file beside it."""
    source = (shared_dir / "data/blimp/anaphor_gender_agreement.jsonl").read_text(encoding="utf-8")
    (folder / "blimp.jsonl").write_text("\n".join(source.splitlines()[:60]) + "\n", encoding="utf-8")
    raw = json.loads(
        (shared_dir / "data/tinystories_sample/tinystories_1000.json").read_text(encoding="utf-8")
    )
    stories = [text if isinstance(text, str) else text["text"] for text in raw[:10]]
    lines = [json.dumps({"text": text}) for text in stories]
    (folder / "texts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    openings = [
        json.dumps({"opening": " ".join(text.split()[:12]), "next": text.split()[12]}) for text in stories
    ]
    (folder / "openings.jsonl").write_text("\n".join(openings) + "\n", encoding="utf-8")
    head = "task: {0}\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: {1}}}}}\ntest_split: test\n"
    (folder / "blimp.yaml").write_text(
        head.format("real_blimp", "blimp.jsonl")
        + 'output_type: multiple_choice\ndoc_to_text: ""\ndoc_to_target: 0\n'
        + 'doc_to_choice: "{{[sentence_good, sentence_bad]}}"\nmetric_list: [{metric: acc}, {metric: acc_norm}]\n'
    )
    (folder / "texts.yaml").write_text(
        head.format("real_texts", "texts.jsonl")
        + 'output_type: loglikelihood_rolling\ndoc_to_text: ""\ndoc_to_target: "{{text}}"\n'
        + "metric_list: [{metric: word_perplexity}, {metric: bits_per_byte}]\n"
    )
    (folder / "openings.yaml").write_text(
        head.format("real_openings", "openings.jsonl")
        + 'output_type: generate_until\ndoc_to_text: "{{opening}}"\ndoc_to_target: "{{next}}"\n'
        + 'generation_kwargs: {until: ["."], max_gen_toks: 16, do_sample: false}\n'
        + "filter_list:\n  - name: word\n"
        + "    filter: [{function: regex, regex_pattern: '(\\\\S+)'}, {function: take_first}]\n"
        + "metric_list: [{metric: exact_match}]\n"
    )


@pytest.mark.shared
@pytest.mark.slow
def test_our_engine_scores_a_real_checkpoint_as_plain_lm_eval(
    shared_dir: Path, tmp_path: Path, stock_run: Callable[..., dict]
) -> None:
    from harness.engine import LocalBackend, open_checkpoint

    blimp_task(tmp_path, shared_dir)
    folder = shared_dir / "models/stories260K"
    names = ("real_blimp", "real_texts", "real_openings")
    stock = stock_run(stock_model(folder), names, folder=tmp_path)
    prepared = prepare_tasks(names, include_paths=[tmp_path])
    with open_checkpoint(folder, dtype="float32", device="cpu") as checkpoint:
        results = {
            result.record.name: result
            for result in prepared.run(LocalBackend(checkpoint, too_long="truncate-left"))
        }
    for name in names:
        rows = by_hash(results[name])
        for sample in stock["samples"][name]:
            row = rows[sample["doc_hash"]]
            if row.kind == "generate":
                assert row.text == sample["resps"][0][0]
                continue
            theirs = [call[0][0] if row.kind == "choose" else call[0] for call in sample["resps"]]
            ours = row.option_logprobs if row.kind == "choose" else (row.logprob_nats,)
            for one, two in zip(ours, theirs, strict=True):
                assert abs(one - two) <= max(1e-4, 1e-6 * abs(two))
    for name, metric in (("real_blimp", "acc"), ("real_blimp", "acc_norm"), ("real_openings", "exact_match")):
        filter_name = "word" if name == "real_openings" else "none"
        reported = results[name].record.asking["reported"]
        assert isinstance(reported, dict)
        assert reported[f"{metric},{filter_name}"] == stock["results"][name][f"{metric},{filter_name}"]
    reported = results["real_texts"].record.asking["reported"]
    assert isinstance(reported, dict)
    for figure in ("word_perplexity,none", "bits_per_byte,none"):
        assert reported[figure] == pytest.approx(stock["results"]["real_texts"][figure], rel=1e-6)
