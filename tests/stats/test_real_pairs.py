"""Real outputs of real models, paired and judged: accuracies as published, p values as statsmodels gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from harness.stats.family import family_harm
from harness.stats.macro import macro_effect
from harness.stats.paired import PairedEffect, paired_effect
from harness.stats.preference import Preference, preference_effect, settled_preference
from harness.stats.sequential import equal_looks, sequential_p, z_of

pytestmark = pytest.mark.shared

Flags = list[bool]


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def judged(baseline: Flags, candidate: Flags, *, margin: float = 0.05) -> PairedEffect:
    return paired_effect(
        baseline, candidate, range(len(baseline)), binary=True, bounds=(0.0, 1.0), margin=margin
    )


def agrees_with_statsmodels(found: PairedEffect) -> bool:
    """One-sided p from statsmodels' exact two-sided test; ours is mid-p, never more and within a few percent."""
    lost, won = found.discordant_right_to_wrong, found.discordant_wrong_to_right
    assert lost is not None and won is not None
    exact = mcnemar([[0, lost], [won, 0]], exact=True).pvalue / 2
    one_sided = exact if lost > won else 1 - exact
    return bool(abs(found.harm_p - one_sided) <= max(0.03, 0.5 * one_sided))


def bbh(shared_dir: Path, way: str, task: str) -> Flags:
    file = shared_dir / "data" / "bbh" / f"code-davinci-002-{way}" / f"{task}_few_shot_template_0-255000.json"
    outputs = json.loads(file.read_text("utf-8"))["outputs"]
    return [
        str(row["prediction"]).split("the answer is")[-1].strip().rstrip(".") == str(row["target"]).strip()
        for row in outputs
    ]


@pytest.mark.parametrize(
    # Suzgun et al. 2022, Challenging BIG-Bench tasks, table of code-davinci-002: answer only, chain of thought.
    ("task", "direct", "thought"),
    [("boolean_expressions", 0.884, 0.928), ("sports_understanding", 0.728, 0.976)],
)
def test_big_bench_hard_chain_of_thought_against_direct_answers(
    shared_dir: Path, task: str, direct: float, thought: float
) -> None:
    before, after = bbh(shared_dir, "direct", task), bbh(shared_dir, "cot", task)
    found = judged(before, after)
    assert found.baseline_mean == pytest.approx(direct, abs=0.005)
    assert found.candidate_mean == pytest.approx(thought, abs=0.005)
    assert agrees_with_statsmodels(found)
    assert found.certify_p is not None and found.certify_p < 0.05
    # The other way round, giving up the chain of thought is a regression in sports, and shown as one.
    turned = judged(after, before)
    assert turned.effect == -found.effect
    if task == "sports_understanding":
        assert turned.harm_p < 1e-9


def test_direct_answers_lose_on_average_over_the_tasks(shared_dir: Path) -> None:
    differences, labels = [], []
    for task in ("boolean_expressions", "sports_understanding"):
        before, after = bbh(shared_dir, "cot", task), bbh(shared_dir, "direct", task)
        differences.append(np.array(after, dtype=float) - np.array(before, dtype=float))
        labels.append([f"{task}/{place}" for place in range(len(before))])
    found = macro_effect(differences, labels)
    # By the published accuracies: ((.884 - .928) + (.728 - .976)) / 2.
    assert found.effect == pytest.approx(-0.146, abs=0.005)
    assert family_harm([0.1, 1e-9], macro_p=found.harm_p).macro == pytest.approx(found.harm_p * 2, rel=1e-9)


GSM8K = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


@pytest.fixture
def gsm8k(shared_dir: Path) -> dict[str, Flags]:
    rows = rows_of(shared_dir / "data" / "gsm8k" / "example_model_solutions.jsonl")
    return {model: [bool(row[model]["is_correct"]) for row in rows] for model in GSM8K}


def test_grade_school_maths_of_four_models_is_ordered_as_published(gsm8k: dict[str, Flags]) -> None:
    # Cobbe et al. 2021: verification beats fine-tuning at either size, and the larger model the smaller.
    for worse, better in (
        ("6b_finetuning", "6b_verification"),
        ("6b_verification", "175b_verification"),
        ("175b_finetuning", "175b_verification"),
    ):
        found = judged(gsm8k[better], gsm8k[worse])
        assert found.effect < -0.05 and found.harm_p < 1e-6
        assert agrees_with_statsmodels(found)
        assert judged(gsm8k[worse], gsm8k[better]).certify_p < 0.05  # type: ignore[operator]


def test_a_large_loss_on_real_answers_is_settled_after_a_fifth_of_them(gsm8k: dict[str, Flags]) -> None:
    better, worse = gsm8k["175b_verification"], gsm8k["6b_finetuning"]
    order = np.random.default_rng(0).permutation(len(better))[: len(better) // 5]
    found = judged([better[place] for place in order], [worse[place] for place in order])
    assert sequential_p([z_of(found.harm_p)], equal_looks(5)) < 0.04


def test_an_unchanged_model_in_two_halves_is_neither_worse_nor_certified(gsm8k: dict[str, Flags]) -> None:
    # The halves hold different questions: what is compared is the noise of item sampling, and it must not alarm.
    answers = np.array(gsm8k["175b_finetuning"])
    rng, alarms = np.random.default_rng(1), 0
    for _ in range(200):
        drawn = rng.permutation(answers.size)[:1200]
        alarms += judged(answers[drawn[:600]].tolist(), answers[drawn[600:]].tolist()).harm_p <= 0.05
    assert alarms / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_instruction_following_loses_when_judged_strictly(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "ifeval" / "test_output"
    loose, strict = (
        [bool(row["follow_all_instructions"]) for row in rows_of(folder / f"eval_results_{way}.jsonl")]
        for way in ("loose", "strict")
    )
    found = judged(loose, strict, margin=0.02)
    # Zhou et al. 2023: GPT-4 follows all instructions of a prompt in 76.89 % strictly and 79.30 % loosely.
    assert found.candidate_mean == pytest.approx(0.7689, abs=0.005)
    assert found.baseline_mean == pytest.approx(0.7930, abs=0.005)
    # Whoever follows strictly follows loosely, but for a single answer in the published files.
    assert found.discordant_wrong_to_right == 1
    assert found.harm_p < 0.001 and agrees_with_statsmodels(found)


def test_system_outputs_on_figures_of_speech_are_ranked_as_their_accuracies(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "explainaboard" / "fig_qa"
    gold = [
        row["answers"]["option_index"]
        for row in json.loads((folder / "fig_qa-dataset.json").read_text("utf-8"))
    ]
    right = {}
    for system in ("gpt2", "gptneo", "gpt3", "bert", "roberta"):
        outputs = json.loads((folder / f"fig_qa-{system}-output.json").read_text("utf-8"))
        right[system] = [
            row["predicted_answers"]["option_index"] == answer
            for row, answer in zip(outputs, gold, strict=True)
        ]
    for before, after in (("roberta", "gpt2"), ("gpt3", "gpt2"), ("gpt2", "gptneo")):
        found = judged(right[before], right[after])
        assert found.effect == pytest.approx(np.mean(right[after]) - np.mean(right[before]))
        assert agrees_with_statsmodels(found)


def test_a_judge_asked_in_both_orders_has_ties_where_it_contradicts_itself(shared_dir: Path) -> None:
    rows = json.loads(
        (
            shared_dir / "data" / "llmbar" / "Natural" / "evaluators" / "ChatGPT" / "Vanilla" / "result.json"
        ).read_text("utf-8")
    )
    settled: list[Preference] = []
    contradictions = 0
    for row in rows:
        (result,) = row["results"]
        # Side 2 is the candidate. The file names the winner by the pair, not by what stood first.
        winners = [str(result[f"swap = {order}"]["winner"]) for order in ("False", "True")]
        contradictions += set(winners) == {"1", "2"}
        kinds: dict[str, Preference] = {"1": "loss", "2": "win"}
        settled.append(settled_preference([kinds.get(winner, "tie") for winner in winners]))
    counts = {kind: settled.count(kind) for kind in ("win", "tie", "loss")}
    found = preference_effect(wins=counts["win"], ties=counts["tie"], losses=counts["loss"])
    assert found.n_pairs == len(rows) == 100
    assert contradictions > 0
    assert found.ties >= contradictions
    # LLMBar's gold labels: the judge must agree with them far more often than not, else the sides were mixed up.
    gold = [{1: "loss", 2: "win"}[int(row["label"])] for row in rows]
    agreed = [kind == label for kind, label in zip(settled, gold, strict=True) if kind != "tie"]
    assert np.mean(agreed) > 0.7
