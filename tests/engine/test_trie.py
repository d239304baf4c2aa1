"""The trie of many inputs, against sets of openings in plain Python."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.engine import trie as module
from harness.engine.trie import Trie, trie_of

# Few distinct tokens, so that openings are shared; some of several bytes, so that byte order shows.
TOKENS = st.sampled_from([0, 1, 255, 256, 151_000])
INPUTS = st.lists(st.lists(TOKENS, min_size=1, max_size=12), max_size=40)
# Group sizes at which the sort splits; small ones let a few inputs reach every branch of it.
SIZES = st.tuples(*[st.sampled_from([1, 2, 5, 4096])] * 6)


def trie_with(inputs: list[list[int]], n_scored: list[int] | None = None) -> Trie:
    return trie_of([array("i", one) for one in inputs], n_scored or [1] * len(inputs))


@contextmanager
def split_by(sizes: tuple[int, ...]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        names = ("_NARROW", "_WIDE", "_LARGE", "_BLOCK", "_CELLS", "_SAMPLED")
        for name, size in zip(names, sizes, strict=True):
            patch.setattr(module, name, size)
        yield


def lists(trie: Trie) -> list[list[int]]:
    return [trie.input(index).tolist() for index in range(trie.n_inputs)]


@given(INPUTS, SIZES)
def test_inputs_are_the_distinct_reads_in_lexicographic_order(
    inputs: list[list[int]], sizes: tuple[int, ...]
) -> None:
    with split_by(sizes):
        found = trie_with(inputs)
    assert lists(found) == sorted(map(list, {tuple(one) for one in inputs}))
    assert found.lengths.tolist() == [len(one) for one in lists(found)]


@given(INPUTS, SIZES)
def test_every_read_is_found_again(inputs: list[list[int]], sizes: tuple[int, ...]) -> None:
    with split_by(sizes):
        found = trie_with(inputs)
    assert [list(found.inputs[index]) for index in found.of_read] == inputs


@given(INPUTS, SIZES)
def test_distinct_tokens_are_the_distinct_openings(inputs: list[list[int]], sizes: tuple[int, ...]) -> None:
    openings = {tuple(one[:stop]) for one in inputs for stop in range(1, len(one) + 1)}
    with split_by(sizes):
        found = trie_with(inputs)
    assert found.n_distinct_tokens == len(openings)
    assert found.n_given_tokens == sum(map(len, inputs))


@given(INPUTS, SIZES)
def test_shared_counts_the_opening_common_with_the_input_before(
    inputs: list[list[int]], sizes: tuple[int, ...]
) -> None:
    with split_by(sizes):
        found = trie_with(inputs)
    ordered = sorted({tuple(one) for one in inputs})
    for before, after, shared in zip(ordered, ordered[1:], found.shared[1:], strict=False):
        assert before[:shared] == after[:shared]
        assert before[shared : shared + 1] != after[shared : shared + 1]


@given(INPUTS, st.randoms(use_true_random=False))
def test_the_order_and_the_copies_of_reads_change_nothing(
    inputs: list[list[int]], shuffler: random.Random
) -> None:
    twice = inputs * 2
    shuffler.shuffle(twice)
    one, other = trie_with(inputs), trie_with(twice)
    assert lists(one) == lists(other)
    assert one.shared.tolist() == other.shared.tolist()


@given(st.lists(st.tuples(st.lists(TOKENS, min_size=1, max_size=4), st.integers(1, 4)), max_size=30))
def test_an_input_is_scored_as_far_back_as_any_read_of_it(reads: list[tuple[list[int], int]]) -> None:
    reads = [(one, min(count, len(one))) for one, count in reads]
    found = trie_with([one for one, _ in reads], [count for _, count in reads])
    for index, one in enumerate(lists(found)):
        assert found.n_scored[index] == max(count for read, count in reads if read == one)
        assert found.keepable[index] == len(one) - found.n_scored[index]


@given(INPUTS.filter(len), st.data())
def test_a_packed_row_holds_each_node_below_its_depth_once(
    inputs: list[list[int]], data: st.DataObject
) -> None:
    found = trie_with(inputs)
    first = data.draw(st.integers(0, found.n_inputs - 1))
    stop = data.draw(st.integers(first + 1, found.n_inputs))
    whole = lists(found)[first:stop]
    common = 0
    while all(len(one) > common and one[: common + 1] == whole[0][: common + 1] for one in whole):
        common += 1
    depth = data.draw(st.integers(0, common))
    nodes: dict[tuple[int, ...], int] = {}  # in the order in which they are first met
    for one in whole:
        for place in range(depth, len(one)):
            nodes.setdefault(tuple(one[: place + 1]), one[place])
    assert found.packed(first, stop, depth).tolist() == list(nodes.values())


def test_a_large_group_that_shares_much_is_read_once_and_still_in_order() -> None:
    # 9,000 reads, more than are settled at once: 400 shared tokens, one read beside them on each side.
    shots = [7] * 400
    reads = [[*shots, index % 3000, index // 3000] for index in range(9000)] + [[6], [*shots[:399], 8]]
    found = trie_with(reads)
    assert lists(found) == sorted(reads)
    assert found.n_distinct_tokens == 400 + 3000 + 9000 + 1 + 1  # shots, second to last, last, the two beside


def test_no_reads_make_an_empty_trie() -> None:
    found = trie_with([])
    assert (found.n_inputs, found.n_distinct_tokens, found.n_given_tokens) == (0, 0, 0)


@pytest.mark.parametrize(("length", "n_scored"), [(3, 4), (3, 0), (0, 0)])
def test_scored_positions_must_fit_the_read(length: int, n_scored: int) -> None:
    with pytest.raises(UsageError, match=f"Read 1 has {length} tokens and {n_scored} scored"):
        trie_with([[1], [2] * length], [1, n_scored])


def test_counts_must_match() -> None:
    with pytest.raises(UsageError, match="2 reads needs as many"):
        trie_of([array("i", [1]), array("i", [2])], [1])
