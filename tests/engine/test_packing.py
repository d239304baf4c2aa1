"""Plans of passes, replayed on plain lists: what is kept, what each row holds, and how much is computed."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine import packing
from harness.engine.packing import InputsPass, Pass, PrefixPass, passes, row_tokens_of
from harness.engine.pass_costs import PassCosts
from harness.engine.plan_size import plan_size
from harness.engine.trie import Trie, trie_of

Read = tuple[list[int], int]  # tokens, and how many of the last positions are scored


@st.composite
def reads_of_a_tree(draw: st.DrawFn) -> list[Read]:
    """Reads that leave one long text at many places, and some that share nothing; scored anyhow."""
    token = st.integers(0, draw(st.sampled_from([0, 1, 9])))
    trunk = draw(st.lists(token, max_size=40))
    leaving = st.tuples(st.integers(0, len(trunk)), st.lists(token, min_size=1, max_size=6))
    tails = draw(st.lists(leaving, max_size=25))
    inputs = [[*trunk[:place], *tail] for place, tail in tails]
    return [(one, draw(st.sampled_from([1, (len(one) + 1) // 2, len(one)]))) for one in inputs]


COSTS = st.sampled_from([PassCosts(), PassCosts(one_pass=0.0), PassCosts(cell=0.0, one_pass=3.0)])
BUDGETS = st.tuples(st.sampled_from([1, 4, 15, 60]), st.sampled_from([1, 7, 30, 200]))


def trie_with(reads: Sequence[Read]) -> Trie:
    return trie_of([array("i", tokens) for tokens, _ in reads], [n_scored for _, n_scored in reads])


def replayed(trie: Trie, plan: Sequence[Pass]) -> list[int]:
    """How often each input is read, having checked what stands before every pass and row."""
    inputs = [tuple(one) for one in trie.inputs]
    times = [0] * len(inputs)
    path: tuple[int, ...] = ()
    for step in plan:
        assert step.depth <= len(path)
        path = path[: step.depth]
        if isinstance(step, PrefixPass):
            assert inputs[step.input][: step.depth] == path
            assert step.depth < step.upto <= len(inputs[step.input])
            path = inputs[step.input][: step.upto]
            continue
        for row in step.rows:
            for index in range(*row):
                assert inputs[index][: step.depth] == path
                assert (
                    len(inputs[index]) - trie.n_scored[index] >= step.depth
                )  # scored positions are in the row
                times[index] += 1
            assert row_tokens_of(trie, step, row) == len(nodes_below(inputs[slice(*row)], step.depth))
    return times


def nodes_below(inputs: Sequence[tuple[int, ...]], depth: int) -> set[tuple[int, ...]]:
    return {one[:stop] for one in inputs for stop in range(depth + 1, len(one) + 1)}


@given(reads_of_a_tree(), BUDGETS, COSTS)
def test_every_input_is_read_once_after_its_own_first_tokens(
    reads: list[Read], budgets: tuple[int, int], costs: PassCosts
) -> None:
    trie = trie_with(reads)
    plan = list(passes(trie, row_tokens=budgets[0], pass_tokens=budgets[1], costs=costs))
    assert replayed(trie, plan) == [1] * trie.n_inputs


@given(reads_of_a_tree(), BUDGETS, COSTS)
def test_rows_and_passes_keep_within_their_budgets(
    reads: list[Read], budgets: tuple[int, int], costs: PassCosts
) -> None:
    trie = trie_with(reads)
    row_tokens, pass_tokens = budgets
    for step in passes(trie, row_tokens=row_tokens, pass_tokens=pass_tokens, costs=costs):
        if isinstance(step, PrefixPass):
            assert step.upto - step.depth <= pass_tokens
            continue
        widths = [row_tokens_of(trie, step, row) for row in step.rows]
        assert widths == sorted(widths, reverse=True)
        assert all(
            width <= row_tokens or stop == first + 1
            for width, (first, stop) in zip(widths, step.rows, strict=True)
        )
        if len(widths) * widths[0] > pass_tokens:
            # Only an input that is scored so far back that no more of it can be read ahead.
            ((first, stop),) = step.rows
            assert stop == first + 1
            assert step.depth == trie.keepable[first]


@given(reads_of_a_tree(), BUDGETS, st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_or_the_copies_of_reads(
    reads: list[Read], budgets: tuple[int, int], shuffler: random.Random
) -> None:
    twice = reads * 2
    shuffler.shuffle(twice)
    one, other = (
        list(passes(trie_with(given_), row_tokens=budgets[0], pass_tokens=budgets[1]))
        for given_ in (reads, twice)
    )
    assert one == other


@given(reads_of_a_tree(), BUDGETS, COSTS)
def test_a_plan_computes_at_least_the_distinct_tokens_and_at_most_the_given(
    reads: list[Read], budgets: tuple[int, int], costs: PassCosts
) -> None:
    trie = trie_with(reads)
    size = plan_size(trie, passes(trie, row_tokens=budgets[0], pass_tokens=budgets[1], costs=costs))
    assert trie.n_distinct_tokens <= size.tokens <= size.padded_tokens
    assert size.tokens <= sum(map(len, trie.inputs))


@settings(max_examples=30)
@given(reads_of_a_tree(), BUDGETS)
def test_many_prefixes_are_planned_alike_with_one_size_of_rows(
    reads: list[Read], budgets: tuple[int, int]
) -> None:
    trie = trie_with(reads)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "_FEW_PREFIXES", 0)
        plan = list(passes(trie, row_tokens=budgets[0], pass_tokens=budgets[1]))
    assert replayed(trie, plan) == [1] * trie.n_inputs


# The shapes of real work, of tokens that are all different; counts by hand.

FRESH = count(1)


def fresh(n_tokens: int) -> list[int]:
    return [next(FRESH) for _ in range(n_tokens)]


def with_options(context: list[int], n_options: int, n_tokens: int) -> Iterator[Read]:
    """Options are scored on all their tokens; the last of them is not read."""
    for _ in range(n_options):
        yield [*context, *fresh(n_tokens - 1)], n_tokens


def planned(
    reads: Sequence[Read], *, row_tokens: int = 512, pass_tokens: int = 2048
) -> tuple[Trie, list[Pass]]:
    trie = trie_with(reads)
    plan = list(passes(trie, row_tokens=row_tokens, pass_tokens=pass_tokens))
    assert replayed(trie, plan) == [1] * trie.n_inputs
    return trie, plan


def kept(plan: Sequence[Pass]) -> list[tuple[int, int]]:
    return [(step.depth, step.upto) for step in plan if isinstance(step, PrefixPass)]


def test_shots_are_read_once_and_the_options_of_a_question_packed() -> None:
    shots = fresh(400)
    reads = [one for _ in range(24) for one in with_options(shots + fresh(60), 4, 15)]
    trie, plan = planned(reads)
    assert trie.n_distinct_tokens == 400 + 24 * (60 + 4 * 14)
    assert kept(plan) == [(0, 400)]
    assert plan_size(trie, plan).tokens == trie.n_distinct_tokens
    assert plan_size(trie, plan).padded_tokens <= 1.05 * trie.n_distinct_tokens


def test_each_subject_has_its_own_shots() -> None:
    reads: list[Read] = []
    for _ in range(3):
        shots = fresh(420)
        reads += [(shots + fresh(65), 1) for _ in range(40)]
    trie, plan = planned(reads)
    assert trie.n_distinct_tokens == 3 * (420 + 40 * 65)
    assert kept(plan) == [(0, 420)] * 3
    assert plan_size(trie, plan).padded_tokens <= 1.05 * trie.n_distinct_tokens


def test_a_context_of_four_options_is_packed_and_has_no_pass_of_its_own() -> None:
    reads = [one for _ in range(40) for one in with_options(fresh(60), 4, 25)]
    trie, plan = planned(reads)
    assert trie.n_distinct_tokens == 40 * (60 + 4 * 24)
    assert kept(plan) == []
    assert plan_size(trie, plan).tokens == trie.n_distinct_tokens
    assert plan_size(trie, plan).padded_tokens <= 1.05 * trie.n_distinct_tokens


def test_ten_shots_are_read_once() -> None:
    shots = fresh(800)
    reads = [one for _ in range(24) for one in with_options(shots + fresh(60), 4, 25)]
    trie, plan = planned(reads)
    assert trie.n_distinct_tokens == 800 + 24 * (60 + 4 * 24)
    assert kept(plan) == [(0, 800)]
    assert plan_size(trie, plan).padded_tokens <= 1.05 * trie.n_distinct_tokens


@pytest.mark.parametrize(("row_tokens", "most"), [(512, 1.05), (1024, 1.03)])
def test_variants_with_one_token_changed_share_all_before_it(row_tokens: int, most: float) -> None:
    shots = fresh(300)
    reads: list[Read] = []
    for _ in range(6):
        question, options = fresh(60), [fresh(2) for _ in range(4)]
        for variant in range(20):
            changed = list(question)
            if variant:
                changed[3 * variant] = next(FRESH)
            reads += [(shots + changed + option, 3) for option in options]
    trie, plan = planned(reads, row_tokens=row_tokens)
    # A variant's own tokens: from its change at 3, 6 ... 57 to the end of the question, and four options of 2.
    own = sum(60 - 3 * variant for variant in range(1, 20))
    assert trie.n_distinct_tokens == 300 + 6 * (60 + own + 20 * 4 * 2)
    assert kept(plan) == [(0, 300)]
    assert plan_size(trie, plan).tokens <= most * trie.n_distinct_tokens


def test_many_options_of_one_long_context_are_read_after_it_but_for_its_scored_last_token() -> None:
    context = fresh(600)
    trie, plan = planned(list(with_options(context, 200, 10)))
    # The context's last position predicts the options' first tokens, so it is read in each of the rows.
    assert kept(plan) == [(0, 599)]
    size = plan_size(trie, plan)
    assert size.tokens == 599 + 200 * 9 + size.n_rows


def test_options_that_begin_alike_are_read_after_their_context() -> None:
    context, opening = fresh(600), fresh(20)
    reads = [(context + opening + fresh(10), 31) for _ in range(200)]
    trie, plan = planned(reads)
    assert kept(plan) == [(0, 599)]
    assert plan_size(trie, plan).n_rows < 20


def test_texts_scored_everywhere_leave_the_sharing_of_others_alone() -> None:
    shots = fresh(400)
    reads: list[Read] = [(shots + fresh(60), 1) for _ in range(60)]
    texts: list[Read] = [(shots[: 40 * index] + fresh(50), 40 * index + 50) for index in range(1, 8)]
    trie, plan = planned([*reads, *texts, (list(shots), 400)])
    assert kept(plan) == [(0, 400)]
    size = plan_size(trie, plan)
    # 60 questions after the kept shots; the texts, packed among themselves or not, read the shots again.
    assert size.tokens <= 400 + 60 * 60 + sum(len(tokens) for tokens, _ in texts) + 400


def test_a_chain_of_inputs_that_each_begin_the_next_is_not_read_again_and_again() -> None:
    trunk = fresh(600)
    trie, plan = planned([(trunk[: length + 1], 1) for length in range(600)], row_tokens=128)
    assert trie.n_distinct_tokens == 600
    # Each token is scored, so it is in a row, and stands before later rows, so it is kept as well.
    assert plan_size(trie, plan).tokens <= 2 * 600


def test_a_context_longer_than_a_row_is_kept_for_its_four_options() -> None:
    reads = [one for _ in range(10) for one in with_options(fresh(600), 4, 10)]
    trie, plan = planned(reads)
    assert kept(plan) == [(0, 599)] * 10
    # Then 9 tokens of each option, in one row, after the context's last token.
    assert plan_size(trie, plan).tokens == trie.n_distinct_tokens == 10 * (600 + 4 * 9)


def test_nothing_shared_costs_nothing_more() -> None:
    reads = [(fresh(5 + index), 1) for index in range(100)]
    trie, plan = planned(reads)
    assert kept(plan) == []
    assert plan_size(trie, plan).tokens == trie.n_distinct_tokens == sum(len(tokens) for tokens, _ in reads)


def test_a_long_input_is_read_in_several_passes_up_to_what_is_scored() -> None:
    _, plan = planned([(fresh(5000), 10)], pass_tokens=2000)
    assert plan == [PrefixPass(0, 0, 2000), PrefixPass(0, 2000, 4000), InputsPass(4000, ((0, 1),))]


def test_rows_of_one_input_each_come_of_a_row_of_one_token() -> None:
    shots = fresh(400)
    trie, plan = planned([(shots + fresh(20), 1) for _ in range(50)], row_tokens=1)
    assert kept(plan) == [(0, 400)]
    assert plan_size(trie, plan).n_rows == 50


def test_a_row_fills_a_pass_where_attention_costs_nothing() -> None:
    # Inputs of 101 tokens that share the first: 9 of them with 1 + 9 * 100 tokens fit a pass of 1,000.
    reads = [([0, *fresh(100)], 1) for _ in range(36)]
    costs = PassCosts(cell=0.0, one_pass=1000.0)
    plan = list(passes(trie_with(reads), row_tokens=1000, pass_tokens=1000, costs=costs))
    assert plan == [InputsPass(0, ((start, start + 9),)) for start in range(0, 36, 9)]


def test_a_pass_too_dear_is_not_made() -> None:
    shots = fresh(30)
    reads = [(shots + fresh(60), 1) for _ in range(20)]
    cheap, dear = (
        list(passes(trie_with(reads), row_tokens=256, pass_tokens=2048, costs=PassCosts(one_pass=one_pass)))
        for one_pass in (10.0, 1000.0)
    )
    assert kept(cheap) == [(0, 30)]
    assert kept(dear) == []


def test_no_inputs_make_no_passes() -> None:
    assert list(passes(trie_with([]), row_tokens=8, pass_tokens=8)) == []
