"""What plans cost, against sums by hand and against trying every size of rows."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine import plan_size as module
from harness.engine.packing import InputsPass, PrefixPass, passes
from harness.engine.pass_costs import PassCosts
from harness.engine.plan_size import chosen_row_tokens, least_cost, plan_size
from harness.engine.trie import Trie, trie_of

INPUTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=30), min_size=1, max_size=40)


def trie_with(inputs: list[list[int]]) -> Trie:
    return trie_of([array("i", one) for one in inputs], [1] * len(inputs))


def test_a_plan_is_added_up() -> None:
    # Inputs 0-2: four shared tokens, then 1, 2 and 3 of their own.
    trie = trie_with([[9] * 4 + [0], [9] * 4 + [1, 1], [9] * 4 + [2, 2, 2]])
    size = plan_size(
        trie,
        [PrefixPass(0, 0, 4), InputsPass(4, ((1, 3), (0, 1)))],
        costs=PassCosts(token=1, cell=0.5, one_pass=10),
    )
    assert (size.n_passes, size.n_prefix_passes, size.n_rows) == (2, 1, 2)
    assert (size.tokens, size.padded_tokens, size.most_tokens) == (4 + 5 + 1, 4 + 2 * 5, 10)
    assert size.cells == 4 * 4 + 2 * 5 * (4 + 5)
    assert size.cost == 2 * 10 + (4 + 10) + 0.5 * (16 + 90)


@given(INPUTS, st.sampled_from([1, 5, 40]), st.sampled_from([5, 40, 300]))
def test_no_plan_costs_less_than_the_least(
    inputs: list[list[int]], row_tokens: int, pass_tokens: int
) -> None:
    trie = trie_with(inputs)
    costs = PassCosts(cell=0.01)
    plan = passes(trie, row_tokens=row_tokens, pass_tokens=pass_tokens, costs=costs)
    assert (
        least_cost(trie, pass_tokens=pass_tokens, costs=costs)
        <= plan_size(trie, plan, costs=costs).cost + 1e-9
    )


@given(INPUTS)
def test_the_chosen_size_of_rows_is_the_cheapest(inputs: list[list[int]]) -> None:
    trie = trie_with(inputs)
    costs = PassCosts(cell=0.05, one_pass=7.0)
    sizes = [4, 16, 64]
    cost = {
        size: plan_size(trie, passes(trie, row_tokens=size, pass_tokens=100, costs=costs), costs=costs).cost
        for size in sizes
    }
    chosen = chosen_row_tokens(trie, pass_tokens=100, costs=costs, candidates=sizes)
    assert cost[chosen] == min(cost.values())


def test_dear_attention_asks_for_short_rows_and_cheap_attention_for_long_ones() -> None:
    # Twenty texts share twenty tokens at a time: cutting a row reads up to 400 tokens again.
    trie = trie_with([[*range(20 * place), 10_000 + place, *range(30)] for place in range(1, 21)])
    chosen = [
        chosen_row_tokens(
            trie, pass_tokens=2048, costs=PassCosts(cell=cell, one_pass=200.0), candidates=(64, 2048)
        )
        for cell in (1.0, 0.0)
    ]
    assert chosen == [64, 2048]


def test_a_large_trie_is_judged_by_stretches_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SAMPLED", 16)
    inputs = [[first, second, third] for first in range(4) for second in range(5) for third in range(6)]
    part = module._sample(trie_with(inputs))
    kept = [list(one) for one in part.inputs]
    assert len(kept) == 16
    assert part.shared.tolist() == trie_with(kept).shared.tolist()
    assert trie_with(kept).inputs == part.inputs
