"""Intervals and the noise taken out of a deviation: against closed forms, other libraries and planted truths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from harness.core.errors import UsageError
from harness.robustness.cells import cells, denoised_deviation, step_covariance
from harness.robustness.drop import drop
from harness.robustness.estimate import mean_estimate, number_array, ratio_interval, wilson_interval
from harness.robustness.flip_rate import flip_rates
from harness.robustness.spread import spread


@given(hits=st.integers(0, 30), extra=st.integers(1, 30))
def test_wilson_is_that_of_statsmodels(hits: int, extra: int) -> None:
    expected = proportion_confint(hits, hits + extra, method="wilson")
    assert wilson_interval(hits, hits + extra) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([0.0, 1.0, None])), min_size=1), st.randoms()
)
def test_the_order_of_the_answers_changes_nothing_and_the_interval_holds_the_value(
    rows: list[tuple[str, float | None]], rng: object
) -> None:
    found = mean_estimate([value for _, value in rows], [item for item, _ in rows])
    rng.shuffle(rows)  # type: ignore[attr-defined]
    assert mean_estimate([value for _, value in rows], [item for item, _ in rows]) == found
    if found.value is not None:
        assert found.low is not None and found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1 and found.low < found.high


def test_a_source_item_weighs_the_same_however_many_variants_it_has() -> None:
    assert mean_estimate([1.0] * 9 + [0.0], ["a"] * 9 + ["b"]).value == 0.5


def test_unequal_lengths_and_infinite_values_are_refused() -> None:
    with pytest.raises(UsageError, match="1 values, 2 items"):
        mean_estimate([1.0], ["a", "b"])
    with pytest.raises(UsageError, match="1 infinite"):
        number_array([math.inf])


def test_fiellers_ends_are_where_the_t_statistic_of_the_difference_is_at_its_bound() -> None:
    above, below = np.array([0.2, 0.4, 0.1, 0.3, 0.5]), np.array([0.9, 1.0, 0.7, 0.8, 0.9])
    ends = ratio_interval(above, below)
    assert ends is not None
    for end in ends:  # 2.776445 is the 97.5th percentile of t with 4 degrees of freedom (tables)
        rest = above - end * below
        statistic = rest.mean() / (rest.std(ddof=1) / math.sqrt(5))
        assert abs(statistic) == pytest.approx(2.776445, abs=1e-5)


def test_a_drop_has_its_three_forms() -> None:
    # 40 items: 30 right before (.75), 20 of them after (.5). By hand: .25; .25/.5 above a chance of .25; .25/.75.
    before = [1.0] * 30 + [0.0] * 10
    after = [1.0] * 20 + [0.0] * 20
    found = drop(after, before, [str(n) for n in range(40)], chance=0.25)
    assert (found.clean.value, found.changed.value, found.absolute.value) == (0.75, 0.5, 0.25)
    assert found.corrected is not None and found.corrected.value == pytest.approx(0.5)
    assert found.relative.value == pytest.approx(1 / 3)
    for one in (found.absolute, found.corrected, found.relative):
        assert one.low is not None and one.high is not None and one.value is not None
        assert 0 < one.low < one.value < one.high


def test_a_drop_from_nothing_is_undefined_and_not_zero() -> None:
    found = drop([0.0, 0.0], [0.0, 0.0], ["a", "b"], chance=0.5)
    assert found.relative.value is None and found.absolute.value == 0.0
    assert found.corrected is not None and found.corrected.value is None


def test_no_loss_seen_is_not_certainty_of_none() -> None:
    found = drop([1.0] * 50, [1.0] * 50, [str(n) for n in range(50)])
    assert found.relative.value == 0.0
    assert found.relative.high is not None and found.relative.high > 0.05


def test_failures_of_the_system_are_missing_on_both_sides() -> None:
    found = drop([None, 1.0, 0.0], [1.0, 1.0, 1.0], ["a", "b", "c"])
    assert (found.absolute.n, found.absolute.n_scored, found.clean.n_items) == (3, 2, 2)
    rates = flip_rates("xyz", [None, True, False], "xxx", [True] * 3, list("abc"))
    assert rates.right_to_wrong.value == 0.5 and rates.any_flip.n_scored == 2


@pytest.mark.parametrize(
    ("scores", "chance", "told"),
    [([2.0], None, "0 to 1"), ([1.0], 1.0, "Chance"), ([1.0, 1.0], None, "2 scores")],
)
def test_a_drop_of_impossible_numbers_is_refused(
    scores: list[float], chance: float | None, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        drop(scores, [1.0], ["a"], chance=chance)


def test_the_denoised_variance_is_the_variant_component_of_the_analysis_of_variance() -> None:
    table = np.random.default_rng(5).random((12, 4)) + np.array([0.0, 0.3, 0.1, 0.6])
    items, steps = np.repeat(np.arange(12), 4).astype(str), np.tile(np.arange(4), 12)
    found = denoised_deviation(cells(table.ravel().tolist(), items.tolist(), steps.tolist()))
    # Two-way without replication, by the textbook's sums of squares.
    rows, columns, all_mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    between = 12 * ((columns - all_mean) ** 2).sum() / 3
    rest = ((table - rows[:, None] - columns + all_mean) ** 2).sum() / (11 * 3)
    assert found.value == pytest.approx(math.sqrt((between - rest) / 12))


def test_the_covariance_of_step_means_is_numpys_where_every_item_was_asked_everywhere() -> None:
    table = np.random.default_rng(1).random((9, 3))
    assert step_covariance(table) == pytest.approx(np.cov(table, rowvar=False) / 9)


def _drawn(
    rng: np.random.Generator, shifts: np.ndarray, n_items: int
) -> tuple[list[float], list[str], list[int]]:
    """Items of their own difficulty, answered at steps that shift the chance of being right."""
    ease = rng.uniform(0.2, 0.6, size=(n_items, 1))
    right = rng.random((n_items, shifts.size)) < ease + shifts
    items = np.repeat(np.arange(n_items), shifts.size).astype(str)
    return (
        right.astype(float).ravel().tolist(),
        items.tolist(),
        np.tile(np.arange(shifts.size), n_items).tolist(),
    )


@pytest.mark.parametrize("shifts", [[0.0] * 6, [0.0, 0.08, 0.16, 0.24, 0.3, 0.3]])
def test_the_interval_of_the_denoised_deviation_covers_the_truth(shifts: list[float]) -> None:
    rng, planted = np.random.default_rng(2), np.array(shifts)
    truth = float(planted.std(ddof=1))
    found = [denoised_deviation(cells(*_drawn(rng, planted, 60))) for _ in range(120)]
    covered = sum(one.low - 1e-12 <= truth <= one.high for one in found)  # type: ignore[operator]
    assert covered >= 107  # 1st percentile of Binomial(120, .95) is 108, less one for the approximation
    squares = [one.value**2 for one in found if one.value is not None]
    if truth:
        assert np.mean(squares) == pytest.approx(truth**2, rel=0.15)


def test_the_null_of_a_spread_is_the_range_of_equal_templates() -> None:
    """Six templates of one accuracy: Tippett's mean range of six normals is 2.534 deviations."""
    rng = np.random.default_rng(4)
    found = spread(*_drawn(rng, np.zeros(6), 400), draws=200)
    ease = rng.uniform(0.2, 0.6, 100_000)
    one = math.sqrt(float((ease * (1 - ease)).mean()) / 400)  # of a template's mean, items being the same
    assert found.null == pytest.approx(2.534 * one, rel=0.08)


def test_a_planted_spread_is_found_and_its_interval_holds_it() -> None:
    planted = np.array([0.0, 0.0, 0.0, 0.3])
    found = spread(*_drawn(np.random.default_rng(8), planted, 150), draws=200)
    assert found.p_value == pytest.approx(1 / 201) and found.best == 3
    assert found.spread.low is not None and found.spread.high is not None
    assert 0 < found.spread.low <= 0.3 <= found.spread.high


def test_items_missing_at_a_step_leave_the_spread_and_are_told() -> None:
    found = spread([1.0, 0.0, 1.0, None, 0.0, 0.0], list("aabbcc"), [1, 2] * 3, draws=20)
    assert (found.spread.n, found.spread.n_scored, found.spread.n_items) == (6, 4, 2)
    nothing = spread([1.0], ["a"], [1])
    assert nothing.spread.value is None and nothing.null is None
