"""Paired 0-1 scores: McNemar's mid-p and Tango's score interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, norm
from statsmodels.stats.contingency_tables import mcnemar

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.binary import mcnemar_harm_p, tango_certify_p, tango_interval, tango_statistic

counts = st.integers(0, 60)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _score_statistic_by_search(lost: int, won: int, n_pairs: int, difference: float) -> float:
    """The same statistic from its definition: the trinomial likelihood maximised under the hypothesis."""

    def minus_log_likelihood(lost_share: float) -> float:
        won_share = lost_share + difference
        rest = 1 - lost_share - won_share
        terms = ((lost, lost_share), (won, won_share), (n_pairs - lost - won, rest))
        return -sum(count * _log(share) for count, share in terms if count)

    bounds = (max(0.0, -difference), (1 - difference) / 2)
    found = minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-13})
    lost_share = float(found.x)
    variance = n_pairs * (2 * lost_share + difference - difference**2)
    return (won - lost - n_pairs * difference) / math.sqrt(variance)


@given(lost=counts, won=counts)
def test_harm_is_the_exact_tail_less_half_the_observed_outcome_from_ten_discordant_on(
    lost: int, won: int
) -> None:
    # scipy's binomial distribution, a second implementation of the definition.
    expected = binom.sf(lost - 1, lost + won, 0.5)
    if lost + won >= 10:
        expected -= 0.5 * binom.pmf(lost, lost + won, 0.5)
    assert mcnemar_harm_p(right_to_wrong=lost, wrong_to_right=won) == pytest.approx(expected, abs=1e-12)


@given(lost=st.integers(1, 60), won=st.integers(0, 60))
def test_harm_agrees_with_the_exact_two_sided_test_of_statsmodels(lost: int, won: int) -> None:
    if lost <= won:
        lost, won = won + 1, lost
    exact = mcnemar([[0, lost], [won, 0]], exact=True).pvalue
    half_observed = 0.5 * binom.pmf(lost, lost + won, 0.5) if lost + won >= 10 else 0.0
    ours = 2 * (mcnemar_harm_p(right_to_wrong=lost, wrong_to_right=won) + half_observed)
    assert min(ours, 1.0) == pytest.approx(exact, abs=1e-12)


def test_mid_p_and_interval_match_the_published_consolidation_therapy_example() -> None:
    # Cavo et al. 2012 (59, 6, 16, 80), as worked in Fagerland, Lydersen and Laake, Statistical Analysis of
    # Contingency Tables, chapter 8: two-sided mid-P .034690, Tango 95 % from -.1240 to -.0054.
    assert 2 * mcnemar_harm_p(right_to_wrong=16, wrong_to_right=6) == pytest.approx(0.034690, abs=5e-7)
    low, high = tango_interval(right_to_wrong=16, wrong_to_right=6, n_pairs=161)
    assert (low, high) == (pytest.approx(-0.1240, abs=5e-5), pytest.approx(-0.0054, abs=5e-5))


def test_interval_matches_the_published_airway_example() -> None:
    # Bentur et al. 2009 (1, 1, 7, 12), in Fagerland, Lydersen and Laake 2014: Tango -.517 to -.026.
    low, high = tango_interval(right_to_wrong=7, wrong_to_right=1, n_pairs=21)
    assert (low, high) == (pytest.approx(-0.517, abs=5e-4), pytest.approx(-0.026, abs=5e-4))


@given(n_pairs=st.integers(2, 2000), level=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_interval_without_discordance_has_its_closed_form(n_pairs: int, level: float) -> None:
    # With no discordant pair the statistic at -m is sqrt(n m / (1 - m)), so the bound is z^2 / (n + z^2).
    critical = norm.ppf((1 + level) / 2)
    expected = critical**2 / (n_pairs + critical**2)
    low, high = tango_interval(right_to_wrong=0, wrong_to_right=0, n_pairs=n_pairs, level=level)
    assert (low, high) == (pytest.approx(-expected, rel=1e-6), pytest.approx(expected, rel=1e-6))


@given(lost=counts, won=counts, rest=st.integers(0, 300), level=st.sampled_from([0.8, 0.95]))
def test_statistic_at_the_interval_ends_is_the_normal_quantile(
    lost: int, won: int, rest: int, level: float
) -> None:
    n_pairs = max(lost + won + rest, 1)
    low, high = tango_interval(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, level=level)
    critical = norm.ppf((1 + level) / 2)
    for end, expected in ((low, critical), (high, -critical)):
        if abs(end) < 0.9999:
            found = tango_statistic(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, difference=end)
            assert found == pytest.approx(expected, abs=1e-5)


@given(
    lost=st.integers(0, 30), won=st.integers(0, 30), rest=st.integers(1, 200), difference=st.floats(-0.8, 0.8)
)
def test_statistic_equals_the_likelihood_maximised_by_search(
    lost: int, won: int, rest: int, difference: float
) -> None:
    if abs(difference) < 1e-3:
        difference = 0.01
    n_pairs = lost + won + rest
    found = tango_statistic(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, difference=difference)
    assert found == pytest.approx(
        _score_statistic_by_search(lost, won, n_pairs, difference), rel=1e-3, abs=1e-3
    )


@given(lost=counts, won=counts, rest=st.integers(0, 300))
def test_swapping_the_runs_mirrors_the_interval(lost: int, won: int, rest: int) -> None:
    n_pairs = max(lost + won + rest, 1)
    low, high = tango_interval(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs)
    other_low, other_high = tango_interval(right_to_wrong=won, wrong_to_right=lost, n_pairs=n_pairs)
    assert (other_low, other_high) == (pytest.approx(-high, abs=1e-8), pytest.approx(-low, abs=1e-8))


@given(lost=counts, won=counts, rest=st.integers(0, 300))
def test_interval_holds_the_effect_and_has_width(lost: int, won: int, rest: int) -> None:
    n_pairs = max(lost + won + rest, 1)
    low, high = tango_interval(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs)
    assert -1 <= low <= (won - lost) / n_pairs <= high <= 1
    assert high - low > 0


@given(lost=counts, won=counts, rest=st.integers(0, 300), margin=st.sampled_from([0.01, 0.02, 0.05, 0.2]))
def test_certifying_means_that_the_two_alpha_interval_clears_the_margin(
    lost: int, won: int, rest: int, margin: float
) -> None:
    n_pairs = max(lost + won + rest, 1)
    p_value = tango_certify_p(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, margin=margin)
    low, _ = tango_interval(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, level=0.90)
    if abs(p_value - 0.05) > 1e-6:
        assert (p_value < 0.05) == (low > -margin)


def test_nothing_is_certified_on_fifty_pairs_without_discordance_at_two_points() -> None:
    # The planted fault: mean +- t and the bootstrap have zero width here and certify.
    assert tango_certify_p(right_to_wrong=0, wrong_to_right=0, n_pairs=50, margin=0.02) > 0.05


def test_no_discordance_is_never_significant_harm() -> None:
    assert mcnemar_harm_p(right_to_wrong=0, wrong_to_right=0) == 1.0


def test_more_losses_never_raise_the_harm_p_value() -> None:
    values = [mcnemar_harm_p(right_to_wrong=lost, wrong_to_right=7) for lost in range(40)]
    assert np.all(np.diff(values) < 0)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: mcnemar_harm_p(right_to_wrong=-1, wrong_to_right=0), UsageError),
        (lambda: tango_interval(right_to_wrong=0, wrong_to_right=0, n_pairs=0), EmptyComparison),
        (lambda: tango_interval(right_to_wrong=5, wrong_to_right=5, n_pairs=9), UsageError),
        (lambda: tango_interval(right_to_wrong=1, wrong_to_right=1, n_pairs=9, level=1.0), UsageError),
        (lambda: tango_certify_p(right_to_wrong=0, wrong_to_right=0, n_pairs=9, margin=-0.1), UsageError),
        (
            lambda: tango_statistic(right_to_wrong=0, wrong_to_right=0, n_pairs=9, difference=1.0),
            UsageError,
        ),
    ],
)
def test_impossible_counts_are_refused(call, error) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error):
        call()
