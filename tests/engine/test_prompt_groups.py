"""Prompts are grouped by what they share, where sharing saves enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.engine.prompt_groups import prompt_groups

SHOTS, OTHER = list(range(100, 500)), list(range(600, 900))


def test_each_set_of_shots_has_a_group_of_its_own() -> None:
    prompts = [[*shots, index, index] for index in range(6) for shots in (SHOTS, OTHER)]
    groups = prompt_groups(prompts, [1] * len(prompts))
    assert {(group.n_shared, group.members) for group in groups} == {
        (400, (0, 2, 4, 6, 8, 10)),
        (300, (1, 3, 5, 7, 9, 11)),
    }


def test_many_samples_of_one_prompt_share_all_but_its_last_token() -> None:
    [group] = prompt_groups([SHOTS], [8])
    assert (group.n_shared, group.members) == (399, (0,))


def test_little_in_common_is_not_shared() -> None:
    [group] = prompt_groups([[1, 2, 3], [1, 2, 4]], [1, 1])
    assert group.n_shared == 0


def test_prompts_that_each_begin_the_next_do_not_exhaust_the_stack() -> None:
    prompts = [SHOTS[:length] for length in range(1, 400)] * 5
    groups = prompt_groups(prompts, [1] * len(prompts))
    assert sorted(index for group in groups for index in group.members) == list(range(len(prompts)))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40), st.lists(st.integers(0, 2), min_size=1, max_size=6), st.integers(1, 20)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_members_begin_alike_and_have_a_token_of_their_own(drawn: list[tuple[int, list[int], int]]) -> None:
    prompts = [[*SHOTS[:n_shared], *own] for n_shared, own, _ in drawn]
    groups = prompt_groups(prompts, [weight for *_, weight in drawn])
    assert sorted(index for group in groups for index in group.members) == list(range(len(prompts)))
    for group in groups:
        beginnings = {tuple(prompts[index][: group.n_shared]) for index in group.members}
        assert len(beginnings) == 1
        assert all(len(prompts[index]) > group.n_shared for index in group.members)
