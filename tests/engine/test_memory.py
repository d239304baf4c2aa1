"""The token budget of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.memory import Budget, default_batch_tokens, in_halves, packed


def _padded(batch: Sequence[int]) -> int:
    return len(batch) * max(batch)


@given(st.lists(st.integers(1, 50)), st.integers(1, 200))
def test_batches_hold_everything_in_order_within_the_budget(lengths: list[int], tokens: int) -> None:
    batches = list(packed(lengths, Budget(tokens), size=_padded))
    assert [length for batch in batches for length in batch] == lengths
    assert all(_padded(batch) <= tokens or len(batch) == 1 for batch in batches)


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 300))
def test_what_fits_the_memory_is_answered_once_and_the_rest_is_told(lengths: list[int], memory: int) -> None:
    def answer(batch: list[int]) -> list[int]:
        if _padded(batch) > memory:
            raise torch.OutOfMemoryError("out of memory")
        return [-length for length in batch]

    pieces = list(in_halves(lengths, answer, Budget(10_000), size=_padded))
    assert [length for part, _ in pieces for length in part] == lengths
    for part, done in pieces:
        if done is None:
            assert len(part) == 1 and part[0] > memory
        else:
            assert done == [-length for length in part]


def test_a_budget_only_shrinks() -> None:
    budget = Budget(1000)
    budget.halve(600)
    assert (budget.tokens, budget.halvings) == (300, 1)
    budget.halve(900)
    assert (budget.tokens, budget.halvings) == (150, 2)


@pytest.mark.parametrize(
    ("n_parameters", "tokens"), [(260_000, 8192), (50_000_000, 1000), (7_000_000_000, 512)]
)
def test_a_larger_model_gets_smaller_batches_on_the_cpu(n_parameters: int, tokens: int) -> None:
    # 1e11 operations at two a parameter and token, within 512 to 8192
    assert default_batch_tokens(SimpleNamespace(), n_parameters, torch.device("cpu")) == tokens
