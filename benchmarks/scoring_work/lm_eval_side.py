"""The peer's side: stock lm-eval `hf`, through the methods its own evaluator calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.scoring_work.distinct import Read
from benchmarks.scoring_work.our_side import Answer
from benchmarks.scoring_work.work import Work, evenly_spaced, part_of

_WORSE = 1.05  # a batch size is left behind when this much slower than the best
_GIVE_UP = 2  # after so many larger sizes that brought nothing


def stock_model(folder: Path, *, device: str, dtype: str) -> Any:
    """lm-eval's `hf` model over a copy of the weights of its own, as its command line would open it."""
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(folder), device=device, dtype=dtype, batch_size=1)


def lm_eval_answers(model: Any, work: Work, batch_size: int) -> list[Answer]:
    """One answer per question, in order; the one-token trick (`logits_cache`) is on, as by default."""
    from lm_eval.api.instance import Instance

    model.batch_size_per_gpu = batch_size
    questions = work.questions
    if work.kind == "choose":
        pairs = [(question.prompt, option) for question in questions for option in question.options]
        asked = [Instance("loglikelihood", {}, pair, place) for place, pair in enumerate(pairs)]
        values = iter(model.loglikelihood(asked, disable_tqdm=True))
        return [tuple(float(next(values)[0]) for _ in question.options) for question in questions]
    if work.kind == "text":
        texts = [
            Instance("loglikelihood_rolling", {}, (question.prompt,), place)
            for place, question in enumerate(questions)
        ]
        # It shows a bar per batch whatever it is told.
        with redirect_stderr(StringIO()):
            return [(float(value),) for value in model.loglikelihood_rolling(texts, disable_tqdm=True)]
    settings = {"until": [work.stop], "max_gen_toks": work.max_tokens, "do_sample": False}
    openings = [
        Instance("generate_until", {}, (question.prompt, dict(settings)), place)
        for place, question in enumerate(questions)
    ]
    return [str(text).strip() for text in model.generate_until(openings, disable_tqdm=True)]


def reads_of(model: Any, work: Work) -> Iterator[Read]:
    """What a model must read for a work, by lm-eval's own tokenising; the base of every count."""
    prefix = model.prefix_token_id
    for question in work.questions:
        if work.kind == "generate":
            yield Read(model.tok_encode(question.prompt), 1)
        elif work.kind == "text":
            tokens = model.tok_encode(question.prompt)
            yield Read([prefix, *tokens[:-1]], len(tokens))
        else:
            for option in question.options:
                if question.prompt:
                    before, after = model._encode_pair(question.prompt, option)
                else:
                    before, after = [prefix], model.tok_encode(option, add_special_tokens=False)
                yield Read([*before, *after][:-1], len(after))


def rows_per_question(model: Any, work: Work) -> int:
    """Rows lm-eval's batches hold per question: one where all options are one token long."""
    if work.kind != "choose":
        return 1
    first = work.questions[0]
    reads = list(reads_of(model, part_of(work, [0])))
    return 1 if all(read.n_scored == 1 for read in reads) else len(first.options)


def fastest_batch_size(
    seconds_of: Callable[[Work, int], float],
    work: Work,
    *,
    per_question: int,
    sizes: Sequence[int],
    least_questions: int = 2,
) -> tuple[int, float]:
    """The batch size with the fewest seconds per question, and those seconds; sizes are tried upwards.

    Args:
        seconds_of: Runs a part of the work at a batch size.
        work: The whole work.
        per_question: Rows per question.
        sizes: Ascending.
        least_questions: The fewest that a size is tried on.
    """
    best, least, behind = sizes[0], float("inf"), 0
    for size in sizes:
        n_questions = min(len(work.questions), max(least_questions, ceil(size / per_question)))
        part = part_of(work, evenly_spaced(len(work.questions), n_questions))
        per = seconds_of(part, size) / n_questions
        if per < least:
            best, least = size, per
        behind = behind + 1 if per > least * _WORSE else 0
        if behind == _GIVE_UP or n_questions == len(work.questions):
            break
    return best, least
