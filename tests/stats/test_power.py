"""What a suite can decide, against published tables and the tests themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.power import TTestPower

from harness.core.errors import UsageError
from harness.stats.binary import mcnemar_harm_p
from harness.stats.power import (
    can_decide,
    detectable_effects,
    minimum_detectable_effect,
    minimum_detectable_mean,
    n_to_certify,
    n_to_detect,
)


def test_two_of_the_effects_follow_connors_formula_by_hand() -> None:
    # (1.6449 sqrt(.10) + .8416 sqrt(.10 - .0025))^2 / .05^2 = (.52016 + .26279)^2 / .0025 = 245.2
    assert n_to_detect(0.05, discordance=0.10) == 246
    # At .04 discordance the largest loss, .04, needs (.32897 + .16492)^2 / .0016 = 152.5 pairs.
    assert minimum_detectable_effect(152, discordance=0.04) is None
    assert minimum_detectable_effect(153, discordance=0.04) == pytest.approx(0.04, abs=2e-4)


@given(n_pairs=st.integers(20, 20000), discordance=st.sampled_from([0.05, 0.1, 0.2, 0.5]))
def test_the_pairs_needed_for_the_detectable_effect_are_the_pairs_there_are(
    n_pairs: int, discordance: float
) -> None:
    effect = minimum_detectable_effect(n_pairs, discordance=discordance)
    if effect is not None:
        assert abs(n_to_detect(effect, discordance=discordance) - n_pairs) <= 1


@pytest.mark.parametrize(("n_pairs", "discordance"), [(500, 0.1), (1000, 0.2), (2000, 0.1)])
def test_mcnemar_reaches_the_stated_power_at_the_detectable_effect(n_pairs: int, discordance: float) -> None:
    # Exact power: the rejection region of the test, weighted by the binomials of the outcomes.
    effect = minimum_detectable_effect(n_pairs, discordance=discordance)
    assert effect is not None
    loss_share = (discordance + effect) / 2 / discordance
    power = 0.0
    for n_discordant in range(n_pairs + 1):
        weight = binom.pmf(n_discordant, n_pairs, discordance)
        if weight < 1e-9:
            continue
        rejected = [
            lost
            for lost in range(n_discordant + 1)
            if mcnemar_harm_p(right_to_wrong=lost, wrong_to_right=n_discordant - lost) <= 0.05
        ]
        power += weight * binom.pmf(rejected, n_discordant, loss_share).sum()
    assert power == pytest.approx(0.8, abs=0.02)


def test_pairs_to_certify_an_unchanged_model_by_hand() -> None:
    # d ((1.6449 + .8416) / m)^2: .04 * 124.32^2 = 618.3, .10 * 124.32^2 = 1545.6, .20 * 49.73^2 = 494.6
    assert n_to_certify(0.02, discordance=0.04) == 619
    assert n_to_certify(0.02, discordance=0.10) == 1546
    assert n_to_certify(0.05, discordance=0.20) == 495


def test_detectable_mean_is_near_that_of_statsmodels() -> None:
    expected = TTestPower().solve_power(nobs=400, alpha=0.05, power=0.8, alternative="larger") * 0.3
    assert minimum_detectable_mean(400, standard_deviation=0.3) == pytest.approx(expected, rel=0.01)


def test_an_unknown_discordance_shows_both_conventions() -> None:
    assert [found.discordance for found in detectable_effects(500)] == [0.10, 0.20]
    assert [found.discordance for found in detectable_effects(500, discordance=0.07)] == [0.07]


@pytest.mark.parametrize(("n_pairs", "can_fail"), [(4, False), (5, True)])
def test_a_suite_of_four_can_never_fail(n_pairs: int, can_fail: bool) -> None:
    # Under ten discordant pairs the test is exact: n losses of n have p 2^-n, .0625 at 4 and .03125 at 5.
    assert can_decide(n_pairs, margin=0.05).can_fail is can_fail


@pytest.mark.parametrize(("n_clusters", "can_fail"), [(4, False), (5, True)])
def test_a_clustered_suite_needs_five_source_items_to_fail(n_clusters: int, can_fail: bool) -> None:
    # Sign-flip of n losses of n is 2^-n: .0625 at 4, .03125 at 5.
    assert can_decide(n_clusters, margin=0.05, is_clustered=True).can_fail is can_fail


@pytest.mark.parametrize(("n_pairs", "passes"), [(132, False), (133, True)])
def test_an_unchanged_model_passes_two_points_from_133_pairs_on(n_pairs: int, passes: bool) -> None:
    # No discordance: n m / (1 - m) >= z^2 = 2.7055, so n >= 132.57 at m = .02.
    assert can_decide(n_pairs, margin=0.02).passes_unchanged is passes


def test_a_low_discordance_can_make_failing_impossible() -> None:
    found = can_decide(500, margin=0.05, discordance=0.01)
    assert not found.can_fail and "can never fail" in found.reason


def test_nonsense_is_refused() -> None:
    for call in (
        lambda: n_to_detect(0.2, discordance=0.1),
        lambda: n_to_detect(0.05, discordance=0.0),
        lambda: minimum_detectable_effect(0, discordance=0.1),
        lambda: minimum_detectable_mean(0, standard_deviation=1.0),
        lambda: n_to_certify(0.05, discordance=0.1, alpha=0.7),
        lambda: can_decide(0, margin=0.05),
    ):
        with pytest.raises(UsageError):
            call()
