"""The figures count what they say: distinct tokens, the floor's tokens, equal answers, peak memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import scoring
from benchmarks.scoring_work import memory_peak
from benchmarks.scoring_work.answers import agreement
from benchmarks.scoring_work.checkpoints import FIRST_WORD, STOP_WORD, Shape, save_checkpoint, words
from benchmarks.scoring_work.distinct import Distinct, Read, distinct_of
from benchmarks.scoring_work.floor import BatchShape, Floor, floor_of
from benchmarks.scoring_work.lm_eval_side import (
    fastest_batch_size,
    lm_eval_answers,
    reads_of,
    rows_per_question,
    stock_model,
)
from benchmarks.scoring_work.measure import steps_of
from benchmarks.scoring_work.our_side import answers_in_order, our_answers, our_backend, requests_of
from benchmarks.scoring_work.plot import decades, draw_variants
from benchmarks.scoring_work.progress import Progress
from benchmarks.scoring_work.work import Question, Work
from harness.core.errors import MeasurementError
from harness.core.exchange import BackendFailure, Chosen, OptionScore

TINY = Shape("llama", 400, 32, 64, 2, 4, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("plain"), TINY, dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def stock(folder: Path) -> Any:
    return stock_model(folder, device="cpu", dtype="float32")


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=12))
def test_distinct_tokens_are_the_distinct_beginnings(reads: list[list[int]]) -> None:
    # By definition: a token is known by everything up to and including it.
    beginnings = {tuple(read[: stop + 1]) for read in reads for stop in range(len(read))}
    ends = {tuple(read) for read in reads}
    shared = 0
    while all(len(read) > shared and read[: shared + 1] == reads[0][: shared + 1] for read in reads):
        shared += 1
    found = distinct_of(Read(read, 1) for read in reads)
    assert found == Distinct(shared, len(beginnings), len(ends), sum(map(len, reads)))


class _Counted:
    """Counts what goes through the body and the head of a model."""

    def __init__(self) -> None:
        self.tokens = 0
        self.rows = 0

    @contextmanager
    def counting(self, model: Any) -> Iterator[None]:
        def body(module: Any, positional: Any, named: Any, output: Any) -> None:
            self.tokens += named["input_ids"].numel()

        def head(module: Any, positional: Any, output: Any) -> None:
            self.rows += len(positional[0])

        handles = [
            model.base_model.register_forward_hook(body, with_kwargs=True),
            model.get_output_embeddings().register_forward_hook(head),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


@pytest.mark.parametrize(
    "counts", [Distinct(100, 457, 33, 9999), Distinct(0, 333, 333, 9999), Distinct(40, 41, 1, 99)]
)
@pytest.mark.parametrize("shape", [BatchShape(1, 64), BatchShape(4, 16, 8), BatchShape(2, 500)])
def test_the_floor_reads_exactly_the_distinct_tokens_and_projects_exactly_the_scored_rows(
    stock: Any, counts: Distinct, shape: BatchShape
) -> None:
    seen = _Counted()
    with seen.counting(stock.model):
        Floor(stock.model, counts, shape).run()
    assert (seen.tokens, seen.rows) == (counts.n_tokens, counts.n_scored)


def test_the_floor_of_generation_reads_one_token_per_text_and_step(stock: Any) -> None:
    seen = _Counted()
    floor = floor_of(stock.model, Distinct(40, 90, 3, 150), is_thorough=False, steps=(3, 2, 2, 1))
    with seen.counting(stock.model):
        floor.run()
    assert (seen.tokens, seen.rows) == (90 + 8, 3 + 8)


def test_reads_and_rows_are_those_of_lm_eval(stock: Any) -> None:
    work = Work(
        "w",
        "choose",
        (Question(words([10, 11]), (" " + words([12, 13]), " " + words([14]))), Question("", ("t15 t16",))),
    )
    reads = [(list(read.tokens), read.n_scored) for read in reads_of(stock, work)]
    # By hand: the last token is predicted, never read; token 0 stands for the missing context.
    assert reads == [([10, 11, 12], 2), ([10, 11], 1), ([0, 15], 2)]
    assert rows_per_question(stock, work) == 2
    letters = Work("w", "choose", (Question("t10", (" t12", " t13", " t14")),))
    assert rows_per_question(stock, letters) == 1


def test_both_sides_answer_every_kind_of_work_alike(stock: Any, folder: Path) -> None:
    backend = our_backend(folder, device="cpu", dtype="float32")
    options = (" " + words([30, 31, 32]), " " + words([33]))
    choose = Work("c", "choose", tuple(Question(words(range(20, 29 + n)), options) for n in range(3)))
    text = Work("t", "text", (Question(words(range(40, 60))), Question(words([9, 8, 7]))))
    for work in (choose, text):
        same = agreement(our_answers(backend, work), lm_eval_answers(stock, work, 2))
        assert same.n_outside == 0 and same.changed_beyond_margin == 0


def test_planted_stops_end_a_text_at_the_length_its_prompt_names(tmp_path: Path) -> None:
    lengths = (1, 4, 30)
    own = save_checkpoint(tmp_path, TINY, dtype="float32", device="cpu", countdown=True)
    questions = tuple(Question(words([300, 301, FIRST_WORD + n - 1])) for n in lengths)
    work = Work("g", "generate", questions, stop=STOP_WORD, max_tokens=40)
    # By hand: a text counts down to the first word and stops there.
    expected = [words(range(FIRST_WORD + n - 2, FIRST_WORD - 1, -1)) for n in lengths]
    stock = stock_model(own, device="cpu", dtype="float32")
    assert lm_eval_answers(stock, work, 4) == expected
    assert our_answers(our_backend(own, device="cpu", dtype="float32"), work) == expected
    assert steps_of(work, stock) == (2, 2, 2, *[1] * 26)


@pytest.mark.parametrize(("cheapest", "expected"), [(1, 1), (8, 8), (64, 64)])
def test_the_fastest_batch_size_is_found(cheapest: int, expected: int) -> None:
    work = Work("w", "choose", tuple(Question(str(n), (" a", " b")) for n in range(200)))

    def seconds_of(part: Work, size: int) -> float:
        return len(part.questions) * (1 + abs(math.log2(size / cheapest)))

    sizes = (1, 2, 4, 8, 16, 32, 64, 128)
    size, per = fastest_batch_size(seconds_of, work, per_question=2, sizes=sizes)
    assert (size, per) == (expected, 1.0)


def test_a_batch_larger_than_the_work_is_not_tried() -> None:
    work = Work("w", "choose", tuple(Question(str(n), (" a",)) for n in range(10)))
    tried = []

    def seconds_of(part: Work, size: int) -> float:
        tried.append(size)
        return len(part.questions) / size

    fastest_batch_size(seconds_of, work, per_question=1, sizes=(4, 8, 16, 32, 64))
    assert tried == [4, 8, 16]


def test_agreement_counts_changes_that_rounding_does_not_explain() -> None:
    ours = [(-1.0, -2.0), (-5.00005, -5.0), (-3.0, -1.0), (-9.0, -8.0)]
    theirs = [(-1.0, -2.00005), (-5.0, -5.00005), (-1.0, -3.0), (-9.0, -8.0)]
    same = agreement(ours, theirs)
    assert same.max_abs_diff_nats == 2.0
    assert same.n_outside == 2
    assert (same.changed_choices, same.changed_beyond_margin) == (2, 1)


def test_agreement_of_texts_counts_texts_that_differ() -> None:
    same = agreement(["a b", "c"], ["a b", "d"])
    assert (same.max_abs_diff_nats, same.changed_choices) == (None, 1)


def test_a_failed_request_stops_the_measurement_with_its_reason() -> None:
    work = Work("w", "choose", (Question("p", (" a",)), Question("q", (" a",))))
    assert [request.request_id for request in requests_of(work)] == ["0", "1"]
    answered = [("1", BackendFailure("out_of_memory", "no room")), ("0", Chosen((OptionScore(-1.0, 1),)))]
    with pytest.raises(MeasurementError, match="w: no room"):
        answers_in_order(work, answered)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is reset on Linux only")
def test_the_peak_is_what_a_work_needs_even_after_a_larger_one() -> None:
    def holding(megabytes: int) -> None:
        torch.ones(megabytes << 18)

    found = [memory_peak._cpu_peak_bytes(lambda n=n: holding(n)) / 2**20 for n in (120, 40)]
    assert found == [pytest.approx(120, abs=15), pytest.approx(40, abs=15)]


def test_a_work_survives_the_way_to_another_process() -> None:
    work = Work("g", "generate", (Question("p", (" a", " b")), Question("q")), stop="stop", max_tokens=3)
    assert memory_peak.work_from_json(json.loads(json.dumps(asdict(work)))) == work


def test_the_time_left_follows_the_weights(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress({"light": 1.0, "heavy": 3.0})
    assert progress.left(5.0) == ""
    with progress.step("light"):
        pass
    assert progress.left(5.0) == ", about 15 s left"
    assert capsys.readouterr().err.startswith("[1/2] light")


def test_the_picture_shows_both_lines(tmp_path: Path) -> None:
    from PIL import Image

    series = [
        {"variants": n, "seconds": 1.0 + n / 20, "lm_eval_seconds": 2.0 * n} for n in (1, 2, 4, 8, 16, 32, 64)
    ]
    draw_variants(series, tmp_path / "a" / "variants.png", title="A title", note="A note")
    with Image.open(tmp_path / "a" / "variants.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or ()}
    assert {(11, 110, 79), (179, 64, 42), (255, 255, 255)} <= colours


@given(st.floats(1e-3, 1e4), st.floats(1.0, 1e3))
def test_the_marks_of_an_axis_enclose_the_values(lowest: float, factor: float) -> None:
    marks = decades(lowest, lowest * factor)
    assert marks == sorted(marks)
    assert marks[0] <= lowest and marks[-1] >= lowest * factor


def test_the_table_says_which_bars_are_met() -> None:
    figures = {
        "vs_lm_eval": 20.0,
        "limit_vs_lm_eval": 25.0,
        "vs_floor": 0.7,
        "seconds": 1.0,
        "peak_mb": 10.0,
        "lm_eval_peak_mb": None,
    }
    works = {"fewshot_multitoken": figures, "cmmlu_5shot": figures | {"vs_floor": 0.8}, "blimp": figures}
    text = scoring.table(
        {"device": "cpu", "threads": 2, "dtype": "float32", "models": {"medium": {"work": works}}}
    )
    lines = {line.split()[0]: line for line in text.splitlines() if line.startswith("  ")}
    assert "bar 18, 0.80: missed" in lines["fewshot_multitoken"]
    assert "bar 10, 0.75: met" in lines["cmmlu_5shot"]
    assert "bar" not in lines["blimp"]
