"""Which rows make up each batch of a stage: decided beforehand from the seed, so that a resumed run goes on alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from harness.core.rng import rng_for
from harness.finetune.shape import StageShape

DEFAULT_BATCH_SIZE = 16
DEFAULT_EPOCHS = 1.0
_POOL_BATCHES = 32  # rows of so many batches are sorted by length together


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The batches of a stage.

    Args:
        batches: Row numbers of each batch in order.
        accumulate: Batches a step; the last step may have fewer.
        n_read: Rows read, repeats over epochs included.
    """

    batches: tuple[tuple[int, ...], ...]
    accumulate: int
    n_read: int

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return math.ceil(len(self.batches) / self.accumulate)


def batch_plan(lengths: Sequence[int], stage: StageShape, *, seed: int, stage_index: int = 0) -> BatchPlan:
    """The batches of a stage, rows of like length together.

    With `batch_size` a step's rows depend only on batch_size x accumulate, not on how they are divided.

    Args:
        lengths: Tokens of each row, at least one row.
        stage: Its batch size, epochs or steps.
        seed: With stage and epoch, it decides the order.
        stage_index: Number of the stage.

    Example:
        >>> stage = StageShape(method="full", steps=2, batch_size=2)
        >>> plan = batch_plan([5, 9, 7], stage, seed=1)
        >>> plan.steps, plan.n_read
        (2, 4)
    """
    size = stage.batch_size or DEFAULT_BATCH_SIZE
    if stage.batch_tokens is not None:
        size = max(1, stage.batch_tokens * len(lengths) // sum(lengths))
    total = _rows_read(len(lengths), stage, size)
    pool_rows = _POOL_BATCHES * size * stage.accumulate
    stream, n_taken = _rows_in_order(len(lengths), seed, stage_index), 0
    batches: list[tuple[int, ...]] = []
    while total is None or n_taken < total:
        rows = list(islice(stream, pool_rows if total is None else min(pool_rows, total - n_taken)))
        batches += _pool(rows, lengths, stage, size, seed, (stage_index, n_taken))
        n_taken += len(rows)
        if total is None and stage.steps is not None and len(batches) >= stage.steps * stage.accumulate:
            batches = batches[: stage.steps * stage.accumulate]
            break
    return BatchPlan(tuple(batches), stage.accumulate, sum(map(len, batches)))


def _rows_read(n_rows: int, stage: StageShape, size: int) -> int | None:
    """Rows the stage reads; None where steps of batches by tokens decide."""
    if stage.steps is None:
        return max(1, round((DEFAULT_EPOCHS if stage.epochs is None else stage.epochs) * n_rows))
    return None if stage.batch_tokens is not None else stage.steps * size * stage.accumulate


def _rows_in_order(n_rows: int, seed: int, stage_index: int) -> Iterator[int]:
    """All rows in a new order for each epoch, without end."""
    for epoch in count():
        yield from rng_for(seed, "epoch", stage_index, epoch).shuffled(range(n_rows))


def _pool(
    rows: Sequence[int],
    lengths: Sequence[int],
    stage: StageShape,
    size: int,
    seed: int,
    name: tuple[int, int],
) -> list[tuple[int, ...]]:
    """Batches of one pool: rows by length, the batches (or steps) then in random order, the odd one last."""
    ordered = sorted(rows, key=lambda row: -lengths[row])
    rng = rng_for(seed, "batches", *name)
    if stage.batch_tokens is not None:
        return rng.shuffled(list(_within(ordered, lengths, stage.batch_tokens)))
    a_step = size * stage.accumulate
    steps = [ordered[start : start + a_step] for start in range(0, len(ordered), a_step)]
    odd = [steps.pop()] if len(steps[-1]) < a_step else []
    return [
        tuple(step[start : start + size])
        for step in [*rng.shuffled(steps), *odd]
        for start in range(0, len(step), size)
    ]


def _within(ordered: Sequence[int], lengths: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Batches of at most so many padded tokens; a longer row stands alone."""
    batch: list[int] = []
    for row in ordered:
        if batch and (len(batch) + 1) * lengths[batch[0]] > most:
            yield tuple(batch)
            batch = []
        batch.append(row)
    if batch:
        yield tuple(batch)
