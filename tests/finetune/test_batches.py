"""Which rows make up each batch: laws that hold for any lengths."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.finetune.batches import batch_plan
from harness.finetune.shape import StageShape

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=80)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(1, 3), st.integers(1, 9), st.integers(1, 3), st.integers(0, 5))
def test_every_epoch_reads_every_row_once(
    lengths: list[int], epochs: int, size: int, accumulate: int, seed: int
) -> None:
    stage = StageShape(method="full", epochs=epochs, batch_size=size, accumulate=accumulate)
    plan = batch_plan(lengths, stage, seed=seed)
    read = Counter(row for batch in plan.batches for row in batch)
    assert read == dict.fromkeys(range(len(lengths)), epochs)
    assert plan == batch_plan(lengths, stage, seed=seed)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(20, 200), st.integers(0, 5))
def test_batches_by_tokens_keep_the_limit_unless_one_row_exceeds_it(
    lengths: list[int], most: int, seed: int
) -> None:
    stage = StageShape(method="full", epochs=2, batch_tokens=most)
    plan = batch_plan(lengths, stage, seed=seed)
    for batch in plan.batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= most
    assert Counter(row for batch in plan.batches for row in batch) == dict.fromkeys(range(len(lengths)), 2)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(0, 5), st.sampled_from([(1, 8), (2, 4), (4, 2)]))
def test_a_step_has_the_same_rows_however_it_is_divided(
    lengths: list[int], seed: int, divided: tuple[int, int]
) -> None:
    whole = batch_plan(lengths, StageShape(method="full", steps=5, batch_size=8), seed=seed)
    size, accumulate = divided
    stage = StageShape(method="full", steps=5, batch_size=size, accumulate=accumulate)
    parts = batch_plan(lengths, stage, seed=seed)
    joined = [
        tuple(row for batch in parts.batches[start : start + accumulate] for row in batch)
        for start in range(0, len(parts.batches), accumulate)
    ]
    assert joined == list(whole.batches)
    assert parts.steps == whole.steps == 5


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.integers(1, 20), st.integers(1, 3), st.integers(20, 200))
def test_steps_asked_for_are_steps_made(lengths: list[int], steps: int, accumulate: int, most: int) -> None:
    by_rows = StageShape(method="full", steps=steps, batch_size=3, accumulate=accumulate)
    by_tokens = StageShape(method="full", steps=steps, batch_tokens=most, accumulate=accumulate)
    assert batch_plan(lengths, by_rows, seed=1).steps == steps
    assert batch_plan(lengths, by_tokens, seed=1).steps == steps


def test_another_seed_or_stage_is_another_order() -> None:
    stage = StageShape(method="full", epochs=1, batch_size=4)
    lengths = list(range(1, 200))
    orders = {
        batch_plan(lengths, stage, seed=seed, stage_index=index).batches
        for seed in (1, 2)
        for index in (0, 1)
    }
    assert len(orders) == 4


def test_another_seed_or_stage_puts_other_rows_together() -> None:
    stage = StageShape(method="full", epochs=1, batch_size=4)
    together = {
        frozenset(map(frozenset, batch_plan([7] * 40, stage, seed=seed, stage_index=index).batches))
        for seed in (1, 2)
        for index in (0, 1)
    }
    assert len(together) == 4


def test_rows_of_like_length_stand_together() -> None:
    # By hand: lengths 1 and 100 in equal number; grouped, a batch of 8 mixes them in at most one batch a pool.
    lengths = [1, 100] * 64
    plan = batch_plan(lengths, StageShape(method="full", epochs=1, batch_size=8), seed=1)
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in plan.batches)
    assert padded == sum(lengths)
