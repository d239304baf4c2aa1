"""Preferences of a judge: a sign test, with the ties in sight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.preference import preference_effect, settled_preference

counts = st.integers(0, 60)


@given(wins=st.integers(0, 9), losses=st.integers(0, 9), ties=counts)
def test_few_preferences_are_judged_by_the_exact_sign_test_of_scipy(
    wins: int, losses: int, ties: int
) -> None:
    if not 0 < wins + losses < 10:
        return
    found = preference_effect(wins=wins, ties=ties, losses=losses)
    expected = binomtest(losses, wins + losses, 0.5, alternative="greater").pvalue
    assert found.harm_p == pytest.approx(expected, abs=1e-12)


@given(wins=st.integers(1, 60), ties=counts, losses=counts)
def test_turning_the_sides_turns_the_answer(wins: int, ties: int, losses: int) -> None:
    found = preference_effect(wins=wins, ties=ties, losses=losses)
    turned = preference_effect(wins=losses, ties=ties, losses=wins)
    assert (turned.effect, turned.harm_p) == (-found.effect, found.better_p)
    assert (turned.low, turned.high) == (
        pytest.approx(-found.high, abs=1e-9),
        pytest.approx(-found.low, abs=1e-9),
    )


def test_ties_leave_the_sign_test_alone_and_shrink_the_effect() -> None:
    few, many = (preference_effect(wins=5, ties=ties, losses=15, margin=0.1) for ties in (0, 180))
    assert few.harm_p == many.harm_p
    # By hand: -10 of 20, and -10 of 200.
    assert (few.effect, many.effect, many.tie_share) == (-0.5, -0.05, 0.9)
    assert many.certify_p is not None and few.certify_p is not None
    assert many.certify_p < 0.05 < few.certify_p


def test_a_judge_that_contradicts_itself_when_the_order_is_turned_has_no_preference() -> None:
    assert settled_preference(["win", "loss"]) == "tie"
    assert settled_preference(["loss", "loss"]) == "loss"
    with pytest.raises(EmptyComparison):
        settled_preference([])


def test_nothing_judged_is_no_result() -> None:
    with pytest.raises(EmptyComparison):
        preference_effect(wins=0, ties=0, losses=0)
    with pytest.raises(UsageError, match="negative"):
        preference_effect(wins=-1, ties=2, losses=0)
