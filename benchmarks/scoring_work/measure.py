"""One work measured: ours, lm-eval's and the floor by turns in one process, medians of the ratios."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from benchmarks.scoring_work.answers import agreement
from benchmarks.scoring_work.distinct import Distinct, distinct_of
from benchmarks.scoring_work.floor import floor_of
from benchmarks.scoring_work.lm_eval_side import (
    fastest_batch_size,
    lm_eval_answers,
    reads_of,
    rows_per_question,
)
from benchmarks.scoring_work.our_side import our_answers
from benchmarks.scoring_work.work import Work, evenly_spaced, part_of

if TYPE_CHECKING:
    from harness.engine import LocalBackend

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much time a measurement may take.

    Args:
        rounds: The most turns of all sides.
        seconds: No further round begins when a work has taken so long.
        lm_eval_seconds: About how long lm-eval is measured per round; the rest of a work is scaled.
        batch_sizes: Sizes that lm-eval is tried with, ascending.
        is_thorough: Whether the floor tries all batch shapes.
    """

    rounds: int
    seconds: float
    lm_eval_seconds: float
    batch_sizes: tuple[int, ...]
    is_thorough: bool


FULL = Effort(5, 150.0, 15.0, (1, 2, 4, 8, 16, 32, 64, 128, 256), is_thorough=True)
QUICK = Effort(2, 6.0, 1.0, (2, 8), is_thorough=False)


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides over the same weights."""

    backend: LocalBackend
    stock: Any

    @property
    def device(self) -> str:
        """Where both run."""
        return str(self.backend.checkpoint.device.type)


@dataclass(frozen=True, slots=True)
class Measured:
    """A work's figures, and the batch that memory is measured with: lm-eval's rows, tokens, rows per question."""

    record: dict[str, Any]
    batch_size: int
    batch_tokens: int
    rows_per_question: int


def measured(sides: Sides, work: Work, effort: Effort) -> Measured:
    """Times all sides by turns and compares the answers.

    `vs_lm_eval` and `vs_floor` are medians over rounds of ratios taken within a round, so that a machine that slows
    down for a while slows all sides.
    """
    began = perf_counter()
    counts = distinct_of(reads_of(sides.stock, work))
    per_question = rows_per_question(sides.stock, work)

    def lm_eval_seconds(part: Work, size: int) -> float:
        return timed(sides.device, lambda: lm_eval_answers(sides.stock, part, size))[0]

    size, per = fastest_batch_size(lm_eval_seconds, work, per_question=per_question, sizes=effort.batch_sizes)
    n_measured = max(ceil(size / per_question), ceil(effort.lm_eval_seconds / max(per, 1e-9)))
    places = evenly_spaced(len(work.questions), n_measured)
    part = part_of(work, places)
    scale = len(work.questions) / len(places)
    floor = floor_of(
        sides.stock.model, counts, is_thorough=effort.is_thorough, steps=steps_of(work, sides.stock)
    )
    # lm-eval is warm from its search; what we do once per checkpoint must not count as work either.
    our_answers(sides.backend, part_of(work, [0]))
    turns: list[tuple[float, float, float]] = []
    while not turns or (len(turns) < effort.rounds and perf_counter() - began < effort.seconds):
        our_seconds, ours = timed(sides.device, lambda: our_answers(sides.backend, work))
        their_seconds, theirs = timed(sides.device, lambda: lm_eval_answers(sides.stock, part, size))
        floor_seconds, _ = timed(sides.device, floor.run)
        turns.append((our_seconds, their_seconds * scale, floor_seconds))
    same = agreement([ours[place] for place in places], theirs)
    widest = max(len(read.tokens) for read in reads_of(sides.stock, work))
    record = {
        **_ratios(turns),
        "max_abs_diff_nats": same.max_abs_diff_nats,
        "changed_choices": same.changed_choices,
        "changed_beyond_margin": same.changed_beyond_margin,
        "outside_tolerance": same.n_outside,
        **_sizes(work, counts),
        "lm_eval_batch_size": size,
        "lm_eval_measured_share": len(places) / len(work.questions),
        "floor_batch": {"rows": floor.shape.rows, "tokens_per_row": floor.shape.width},
        "rounds": len(turns),
        "peak_mb": None,
        "lm_eval_peak_mb": None,
    }
    return Measured(record, size, size * (widest + work.max_tokens), per_question)


def _ratios(turns: list[tuple[float, float, float]]) -> dict[str, float]:
    ours = median(turn[0] for turn in turns)
    return {
        "vs_lm_eval": median(turn[1] / turn[0] for turn in turns),
        "vs_floor": median(turn[2] / turn[0] for turn in turns),
        # What a program as fast as the floor would reach here: the limit of this work on this model.
        "limit_vs_lm_eval": median(turn[1] / turn[2] for turn in turns),
        "seconds": ours,
        "lm_eval_seconds": median(turn[1] for turn in turns),
        "floor_seconds": median(turn[2] for turn in turns),
    }


def _sizes(work: Work, counts: Distinct) -> dict[str, float]:
    return {
        "distinct_share": counts.share,
        "questions": len(work.questions),
        "distinct_tokens": counts.n_tokens,
        "read_tokens": counts.n_read,
        "scored_rows": counts.n_scored,
    }


def steps_of(work: Work, stock: Any) -> tuple[int, ...]:
    """Generation: how many texts still read a token at each step after the prompt; else nothing.

    The countdown model's prompts say themselves how long an answer is: by the last word's place.
    """
    if work.kind != "generate":
        return ()
    stop = stock.tok_encode(work.stop)[0]
    lengths = [stock.tok_encode(question.prompt)[-1] - stop for question in work.questions]
    return tuple(sum(length > step for length in lengths) for step in range(1, max(lengths)))


def timed(device: str, call: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of a call and its result, the device's queue emptied before and after."""
    import torch

    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
    started = perf_counter()
    result = call()
    if device == "cuda":
        torch.cuda.synchronize()
    return perf_counter() - started, result
