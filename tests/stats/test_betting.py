"""Bets against a hypothesis: right at any moment, sure once every item is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.stats.betting import betting_p, betting_path, combined_p

signs = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=30)
BOUNDS = (-1.0, 1.0)


@pytest.mark.parametrize("values", [(-1.0, 0.0, 0.0, 1.0), (-1.0, -1.0, 0.0, 1.0, 1.0)])
def test_no_wealth_is_made_on_average_if_the_hypothesis_holds_exactly(values: tuple[float, ...]) -> None:
    # Every order of a fixed suite, drawn without replacement: the mean wealth is that of the start, by definition of
    # a martingale. The last step is left out, where everything is known.
    mean = sum(values) / len(values)
    orders = np.array(list(itertools.permutations(values)))
    wealth = np.exp(betting_path(orders[:, :-1], mean=mean, bounds=BOUNDS, total=len(values)))
    assert wealth.mean(axis=0) == pytest.approx(np.ones(len(values) - 1), abs=1e-9)


def test_no_wealth_is_made_on_average_from_independent_values() -> None:
    # All 2^8 equally likely outcomes of eight fair +-1 values.
    outcomes = np.array(list(itertools.product([-1.0, 1.0], repeat=8)))
    wealth = np.exp(betting_path(outcomes, mean=0.0, bounds=BOUNDS))
    assert wealth.mean(axis=0) == pytest.approx(np.ones(8), abs=1e-9)


@given(values=signs)
def test_when_all_items_are_known_the_fixed_suites_own_mean_decides(values: list[float]) -> None:
    mean = sum(values) / len(values)
    below = betting_p(values, mean=mean - 0.01, bounds=(-1.02, 1.02), total=len(values))
    assert below == 0.0
    above = betting_path(values, mean=min(mean + 0.01, 1.02), bounds=(-1.02, 1.02), total=len(values))
    assert math.isfinite(above[-1])


@given(values=signs, scale=st.floats(0.1, 10))
def test_the_unit_of_the_values_changes_nothing(values: list[float], scale: float) -> None:
    plain = betting_p(values, mean=-0.05, bounds=BOUNDS)
    scaled = betting_p([scale * value for value in values], mean=-0.05 * scale, bounds=(-scale, scale))
    assert scaled == pytest.approx(plain, rel=1e-6)


def test_many_runs_at_once_are_the_single_ones() -> None:
    rng = np.random.default_rng(2)
    values = rng.choice([-1.0, 0.0, 1.0], size=(4, 50))
    together = betting_path(values, mean=-0.1, bounds=BOUNDS, total=80)
    alone = [betting_path(row, mean=-0.1, bounds=BOUNDS, total=80) for row in values]
    assert together == pytest.approx(np.array(alone))


def test_a_catastrophe_is_seen_within_a_tenth_of_the_items_and_no_change_seldom_is() -> None:
    rng = np.random.default_rng(4)
    broken = rng.choice([-1.0, 0.0, 1.0], size=(200, 1000), p=[0.3, 0.65, 0.05])
    unchanged = rng.choice([-1.0, 0.0, 1.0], size=(200, 1000), p=[0.05, 0.9, 0.05])
    limit = math.log(1 / 0.01)
    hits = betting_path(-broken, mean=0.05, bounds=BOUNDS) >= limit
    assert hits.any(axis=1).all()
    assert np.median(hits.argmax(axis=1)) <= 100
    # Ville's inequality: at most .01; 200 runs allow .01 + 3 standard errors.
    alarms = (betting_path(-unchanged, mean=0.0, bounds=BOUNDS) >= limit).any(axis=1).mean()
    assert alarms <= 0.031


def test_shares_of_the_level_bound_the_whole() -> None:
    assert combined_p([0.04, 0.01], shares=[0.8, 0.2]) == pytest.approx(0.05)
    assert combined_p([0.9, 0.9], shares=[0.5, 0.5]) == 1.0


def test_faults_name_the_value() -> None:
    with pytest.raises(UsageError, match="outside of its bounds"):
        betting_path([2.0], mean=0.0, bounds=BOUNDS)
    with pytest.raises(UsageError, match="Bounds must rise"):
        betting_path([0.0], mean=0.0, bounds=(1.0, 0.0))
    with pytest.raises(UsageError, match="A mean of 3"):
        betting_path([0.0], mean=3.0, bounds=BOUNDS)
    with pytest.raises(UsageError, match="2 values came of 1"):
        betting_path([0.0, 1.0], mean=0.0, bounds=BOUNDS, total=1)
    with pytest.raises(UsageError, match="shape"):
        betting_path([], mean=0.0, bounds=BOUNDS)
    with pytest.raises(UsageError, match="positive share"):
        combined_p([0.1], shares=[0.5, 0.5])
