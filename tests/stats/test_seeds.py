"""Seeds of a recipe: their band, and recipes compared with the seeds' spread in the doubt."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.core.errors import UsageError
from harness.stats.seeds import recipe_effect, seed_band


def test_the_band_is_the_prediction_interval_by_hand() -> None:
    # Mean .82, spread .02, t(.975, 2) = 4.3027: .82 +- 4.3027 * .02 * sqrt(1 + 1/3) = .82 +- .0994.
    band = seed_band([0.80, 0.82, 0.84])
    assert (band.low, band.high) == (pytest.approx(0.7206, abs=1e-4), pytest.approx(0.9194, abs=1e-4))


def test_one_more_seed_lies_in_the_band_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    draws = rng.normal(0.7, 0.03, size=(2000, 5))
    inside = [(band := seed_band(row[:4], level=0.9)).low <= row[4] <= band.high for row in draws]
    assert np.mean(inside) == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 2000))


def test_with_seeds_alone_it_is_welchs_t_test() -> None:
    # Every item scores alike, so that the items add no error: only the two sides' seeds are left.
    before, after = np.array([0.80, 0.82, 0.84, 0.81]), np.array([0.74, 0.79, 0.77])
    found = recipe_effect(np.tile(before, (50, 1)), np.tile(after, (50, 1)), range(50), margin=0.1)
    welch = stats.ttest_ind(after, before, equal_var=False, alternative="less")
    assert found.harm_p == pytest.approx(welch.pvalue, abs=1e-9)
    assert found.degrees == pytest.approx(welch.df)
    assert found.item_error == pytest.approx(0.0, abs=1e-12)


def test_with_one_seed_on_a_side_only_the_others_spread_is_added() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.random((40, 1)), rng.random((40, 3))
    found = recipe_effect(before, after, range(40))
    expected = np.std(after.mean(axis=0), ddof=1) / np.sqrt(3)
    assert found.seed_error == pytest.approx(expected)
    assert (found.n_baseline, found.n_candidate) == (1, 3)


def test_equal_recipes_whose_seeds_differ_raise_no_more_alarms_than_the_level() -> None:
    # Seeds move the whole suite by some .02. Judged by the items alone this alarms far more often.
    rng = np.random.default_rng(2)
    alarms = pooled = 0
    n_draws = 400
    for _ in range(n_draws):
        ability = rng.random((300, 1)) < 0.7
        sides = []
        for _ in range(2):
            flips = rng.random((300, 3)) < np.abs(rng.normal(0, 0.1, size=(1, 3)))
            sides.append((ability ^ flips).astype(float))
        found = recipe_effect(sides[0], sides[1], range(300))
        alarms += found.harm_p <= 0.05
        difference = sides[1].mean(axis=1) - sides[0].mean(axis=1)
        pooled += stats.ttest_1samp(difference, 0, alternative="less").pvalue <= 0.05
    assert alarms / n_draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_draws)
    assert pooled / n_draws > 0.15


def test_a_worse_recipe_is_found_and_an_equal_one_certified() -> None:
    rng = np.random.default_rng(3)
    before = (rng.random((2000, 5)) < 0.80).astype(float)
    worse = (rng.random((2000, 5)) < 0.70).astype(float)
    found = recipe_effect(before, worse, range(2000), margin=0.05)
    assert found.harm_p < 0.01 and found.certify_p is not None and found.certify_p > 0.5
    same = recipe_effect(before, (rng.random((2000, 5)) < 0.80).astype(float), range(2000), margin=0.05)
    assert same.certify_p is not None and same.certify_p < 0.05


def test_faults_name_the_value() -> None:
    with pytest.raises(UsageError, match="at least 2 finite scores"):
        seed_band([0.5])
    with pytest.raises(UsageError, match="1 and 1 seeds"):
        recipe_effect(np.zeros((5, 1)), np.zeros((5, 1)), range(5))
    with pytest.raises(UsageError, match=r"shape \(variants, seeds\)"):
        recipe_effect(np.zeros(5), np.zeros((5, 2)), range(5))
