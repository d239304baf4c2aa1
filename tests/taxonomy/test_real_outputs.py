"""The detectors and the number reader on what real models wrote; figures of other people's verdicts are the oracle."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.core.scores import Case
from harness.metrics import is_correct, score_case, specification
from harness.metrics.examples import Example, example_case
from harness.taxonomy import classify
from harness.taxonomy.lenient import lenient_hit

pytestmark = pytest.mark.shared
MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _flags(case: Case, metric: str | None) -> tuple[str, ...]:
    correct = None if metric is None else is_correct(score_case(case, metric).value, specification(metric))
    return classify(case, correct=correct).flags


def test_numeric_match_agrees_with_gsm8ks_own_verdicts(shared_dir: Path) -> None:
    rows = _lines(shared_dir / "data/gsm8k/example_model_solutions.jsonl")
    verdicts, flags = Counter(), Counter()
    for row in rows[::3]:
        gold = row["ground_truth"].rsplit("A:", 1)[1].strip()
        for model in MODELS:
            case = example_case(Example(output=row[model]["solution"], answers=(gold,)))
            right = score_case(case, "numeric_match").value == 1.0
            verdicts[right == row[model]["is_correct"]] += 1
            flags.update(classify(case, correct=row[model]["is_correct"]).flags)
    assert verdicts[False] == 0  # all 5,276 agreed when every row was read
    assert flags["numeric_wrong_value"] > 0.95 * flags.total()
    assert not flags["refusal"] and not flags["output_empty"]


def test_gpt4_hardly_ever_refuses_ifevals_benign_prompts(shared_dir: Path) -> None:
    rows = _lines(shared_dir / "data/ifeval/input_response_data_gpt4_20231107_145030.jsonl")
    flags = Counter(
        flag
        for row in rows
        for flag in _flags(example_case(Example(output=row["response"], references=("x",))), None)
    )
    assert flags["refusal"] <= 2 and flags["repetition_loop"] <= 2 and flags["output_empty"] == 0


def test_the_lenient_reading_agrees_with_gaokao_benchs_own(shared_dir: Path) -> None:
    agree = Counter()
    for path in sorted((shared_dir / "data/zh_gaokao_bench/Results").rglob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8"))["example"]:
            answers = row["standard_answer"]
            if len(answers) != 1 or answers[0] not in "ABCD":
                continue
            item = example_case(
                Example(
                    options=("甲甲甲", "乙乙乙", "丙丙丙", "丁丁丁"),
                    option="ABCD".index(answers[0]),
                    language="zh",
                )
            ).variant.item
            hit = lenient_hit(row["model_output"], item) is not None
            agree[hit == (row["model_answer"] == answers)] += 1
    # 684 of 695 when written; where they differ the model mostly named two letters and the benchmark took the last
    assert agree[True] / agree.total() > 0.97


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3-max"])
def test_numeric_match_agrees_with_evalscope(shared_dir: Path, model: str) -> None:
    rows = _lines(shared_dir / f"data/evalscope_runs/{model}/reviews/{model}/gsm8k_main.jsonl")
    for row in rows:
        case = example_case(Example(output=row["messages"][-1]["content"], answers=(row["target"],)))
        assert score_case(case, "numeric_match").value == row["sample_score"]["score"]["value"]["acc"]
        assert _flags(case, "numeric_match") == ()
