"""The whole measurement runs on a tiny model and on public text, and its record has the published form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scoring_work import session
from benchmarks.scoring_work.checkpoints import Shape
from benchmarks.scoring_work.real_text import bbh_questions, logiqa_questions, mmlu_questions, real_works
from benchmarks.scoring_work.session import Choice, run_all

TINY = Shape("llama", 600, 32, 64, 2, 4, 2)
# The names that the benchmark's description fixes.
FIXED = {
    "vs_lm_eval", "vs_floor", "max_abs_diff_nats", "changed_choices", "distinct_share", "peak_mb",
    "lm_eval_peak_mb", "seconds",
}  # fmt: skip
CHOICE = Choice(
    models=("small",),
    works=("cmmlu_5shot", "rolling", "generation"),
    device="cpu",
    dtype="float32",
    threads=1,
    share=0.1,
    is_quick=True,
    with_peaks=False,
    shared=None,
    plot=None,
)


@pytest.fixture
def tiny_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MODELS", {"small": TINY, "medium": TINY})


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_models")
def test_the_record_has_the_published_form(tmp_path: Path) -> None:
    picture = tmp_path / "variants.png"
    found = run_all(replace(CHOICE, plot=picture), tmp_path)
    works = found["models"]["small"]["work"]
    assert list(works) == list(CHOICE.works)
    for figures in works.values():
        assert set(figures) >= FIXED
        assert figures["vs_lm_eval"] > 0 and figures["vs_floor"] > 0
        assert 0 < figures["distinct_share"] <= 1
        assert figures["changed_beyond_margin"] == 0
    assert works["generation"]["max_abs_diff_nats"] is None
    assert [point["variants"] for point in found["variants"]] == [1, 2, 4, 8, 16, 32, 64]
    assert picture.stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_models")
def test_memory_is_measured_in_a_process_per_side(tmp_path: Path) -> None:
    choice = replace(CHOICE, works=("fewshot_multitoken",), with_peaks=True)
    figures = run_all(choice, tmp_path)["models"]["small"]["work"]["fewshot_multitoken"]
    assert figures["peak_mb"] >= 0
    assert figures["lm_eval_peak_mb"] > 0


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.usefixtures("tiny_models")
def test_public_text_is_measured_on_a_real_checkpoint_and_on_the_medium_shape(
    tmp_path: Path, shared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "QUICK_REAL_LIMIT", 2)
    found = run_all(replace(CHOICE, works=(), shared=shared_dir), tmp_path)["models"]
    assert list(found["stories260K"]["work"]) == ["mmlu_0shot", "bbh_0shot", "logiqa_zh_0shot"]
    assert list(found["medium_real_text"]["work"]) == ["mmlu_5shot", "bbh_3shot", "logiqa_zh_5shot"]
    for figures in found["stories260K"]["work"].values():
        assert figures["questions"] == 2
        assert figures["changed_beyond_margin"] == 0


@pytest.mark.shared
def test_public_questions_stand_after_their_shots(shared_dir: Path) -> None:
    data = shared_dir / "data"
    mmlu = next(mmlu_questions(data / "mmlu", shots=5))
    assert mmlu.prompt.startswith("The following are multiple choice questions (with answers) about anatomy.")
    assert mmlu.prompt.count("\nAnswer:") == 6 and mmlu.prompt.endswith("\nAnswer:")
    assert mmlu.options == (" A", " B", " C", " D")
    bbh = next(bbh_questions(data / "bbh", shots=3))
    assert bbh.prompt.count("\nA: ") == 3 and bbh.prompt.endswith("\nA:")
    # The fourth example of date_understanding, read in the file.
    assert bbh.options[0] == " 07/09/1972" and len(bbh.options) == 6
    logiqa = next(logiqa_questions(data / "zh_agieval" / "logiqa-zh.jsonl", shots=5))
    assert logiqa.prompt.count("答案：") == 6


@pytest.mark.shared
def test_questions_that_do_not_fit_are_left_out(shared_dir: Path) -> None:
    works = list(
        real_works(shared_dir / "data", limit=5, fits=lambda asked: len(asked.prompt) < 500, shots=False)
    )
    assert [work.name for work in works] == ["mmlu_0shot", "bbh_0shot", "logiqa_zh_0shot"]
    assert all(len(question.prompt) < 500 for work in works for question in work.questions)
    assert all(len(work.questions) == 5 for work in works)
