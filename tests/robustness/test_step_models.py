"""Positions, lengths, forms, label names and re-runs: scripted models whose true values are known."""

from __future__ import annotations

import pytest

from harness.core.rng import rng_for
from harness.core.scores import Outcome
from harness.robustness.churn import churn
from harness.robustness.effective_length import effective_length
from harness.robustness.format_validity import format_validity
from harness.robustness.label_map import LabelMapAdherence, label_map_adherence
from harness.robustness.positions import position_curve

POSITIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
N_ITEMS = 50
ITEMS = [f"q{number}" for number in range(N_ITEMS) for _ in POSITIONS]
PLACES = list(POSITIONS) * N_ITEMS


def test_a_recency_biased_model_has_a_curve_that_rises_and_no_middle_of_its_own() -> None:
    """Right only where the key stands in the last quarter."""
    found = position_curve([float(place >= 0.75) for place in PLACES], ITEMS, PLACES, draws=50)
    assert [point.value for point in found.scores] == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert found.primacy_recency.value == -1.0
    assert found.u_index.value == 0.5  # mean of 0 and 1, less 0
    assert all(
        point.low is not None and point.high is not None and point.low < point.high for point in found.scores
    )


def test_a_model_lost_in_the_middle_has_a_u_and_favours_no_end() -> None:
    found = position_curve([float(place in (0.0, 1.0)) for place in PLACES], ITEMS, PLACES, draws=100)
    assert found.u_index.value == 1.0 and found.primacy_recency.value == 0.0
    assert found.u_p == pytest.approx(1 / 101)
    assert found.u_index.low is not None and found.u_index.low > 0.5


def test_guessing_has_a_u_by_chance_that_the_null_explains() -> None:
    scores = [float(rng_for(4, item, place).chance(0.5)) for item, place in zip(ITEMS, PLACES, strict=True)]
    found = position_curve(scores, ITEMS, PLACES, draws=200)
    assert found.u_null is not None and found.u_null > 0.03  # the lowest of three is picked
    assert found.u_p is not None and found.u_p > 0.05
    assert found.u_index.low is not None and found.u_index.low < 0


def test_items_whose_positions_differ_slightly_share_a_quarter() -> None:
    places = [0.0, 0.5, 1.0, 0.0, 0.6, 1.0]
    found = position_curve([1.0, 0.0, 1.0] * 2, list("aaabbb"), places, draws=20)
    assert found.positions == (0.0, 0.5, 0.6, 1.0)
    assert found.u_index.value == 1.0 and found.u_index.n_items == 2


def test_two_positions_have_a_slope_but_no_middle() -> None:
    found = position_curve([1.0, 0.0] * 5, [f"q{n // 2}" for n in range(10)], [0.0, 1.0] * 5)
    assert found.primacy_recency.value == 1.0 and found.u_index.value is None and found.u_null is None


def test_the_effective_length_is_the_last_that_reaches_the_threshold() -> None:
    lengths = [length for length in (500, 2000, 8000) for _ in range(100)]
    right = {500: 100, 2000: 90, 8000: 40}
    scores = [float(n % 100 < right[length]) for n, length in enumerate(lengths)]
    items = [f"q{n % 100}" for n in range(300)]
    found = effective_length(scores, items, lengths, threshold=0.85)
    assert (found.length, found.sure, found.possible, found.has_gap) == (2000, 500, 2000, False)
    assert effective_length([0.0] * 300, items, lengths, threshold=0.85).length is None


def test_a_length_that_is_mastered_after_one_that_is_not_is_told() -> None:
    found = effective_length([1.0, 0.0, 1.0], list("abc"), [1, 2, 3], threshold=0.5)
    assert found.length == 3 and found.has_gap


def test_a_format_breaker_knows_but_cannot_write_it() -> None:
    """Right on 3 of 4, in form on every other item: of the readable ones the even items, 3 of 4 right."""
    n = 80
    outcomes: list[Outcome] = ["scored" if number % 2 == 0 else "unparsed" for number in range(n)]
    scores = [float(number % 8 != 0) if number % 2 == 0 else 0.0 for number in range(n)]
    found = format_validity(outcomes, scores, [str(number) for number in range(n)])
    assert (found.valid.value, found.given_valid.value, found.end_to_end.value) == (0.5, 0.75, 0.375)
    assert (found.unreadable.value, found.no_answer.value) == (0.5, 0.0)
    assert found.given_valid.n == 40


def test_declining_is_no_fault_of_form_and_a_failed_system_counts_nowhere() -> None:
    found = format_validity(["abstained", "failed", "scored"], [0.0, None, 1.0], list("abc"))
    assert (found.no_answer.value, found.unreadable.value, found.end_to_end.value) == (0.5, 0.0, 0.5)
    assert found.valid.n == 3 and found.valid.n_scored == 2


NAMES = ("positive", "negative")


def adherence(*, says_old: bool, n: int = 60) -> LabelMapAdherence:
    """Labels swapped; a memoriser says the name that the right label used to have."""
    old = [NAMES[number % 2] for number in range(n)]
    new = [NAMES[1 - number % 2] for number in range(n)]
    return label_map_adherence(
        old if says_old else new, new, old, [NAMES] * n, [str(number) for number in range(n)]
    )


def test_a_label_memoriser_is_right_under_the_old_map_alone() -> None:
    found = adherence(says_old=True)
    assert (found.in_set.value, found.new_map.value, found.old_map.value) == (1.0, 0.0, 1.0)
    assert found.difference.value == -1.0 and found.is_memorised


def test_an_oracle_follows_the_map_it_is_shown() -> None:
    found = adherence(says_old=False)
    assert (found.new_map.value, found.old_map.value) == (1.0, 0.0) and not found.is_memorised


def test_old_names_that_are_not_offered_are_outside_of_the_set() -> None:
    shown, before = ["K1", "K2", "K1"], ["positive", "negative", "positive"]
    found = label_map_adherence(["Positive", "k2", None], shown, before, [("K1", "K2")] * 3, list("abc"))
    assert found.in_set.value == found.new_map.value == found.old_map.value == pytest.approx(1 / 3)
    assert not found.is_memorised  # one answer each way


def test_churn_within_the_noise_of_re_runs_has_no_excess() -> None:
    """Each run changes one tenth of the answers at random: so do two checkpoints that are the same."""
    items = [f"q{number}" for number in range(200)]
    runs = [["B" if rng_for(6, run, item).chance(0.1) else "A" for item in items] for run in range(4)]
    found = churn(runs[0], runs[1], items, repeats=runs[2:])
    assert found.floor.value == pytest.approx(0.18, abs=0.06)  # 2 x .1 x .9
    assert found.excess.low is not None and found.excess.high is not None
    assert found.excess.low < 0 < found.excess.high
    other = churn(runs[0], ["C"] * 200, items, repeats=runs[2:])
    assert other.churn.value == 1.0 and other.excess.low is not None and other.excess.low > 0.6


def test_churn_without_re_runs_has_no_floor_and_leaves_failures_out() -> None:
    found = churn("AB", "BB", ["a", "b"], missing=[False, True])
    assert found.churn.value == 1.0 and found.churn.n_scored == 1
    assert found.floor.value is None and found.excess.value is None
