"""Looks at planned shares of the items: the bounds of O'Brien and Fleming, and p values that may be looked at."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from harness.core.errors import UsageError
from harness.stats.sequential import equal_looks, sequential_p, spending_bounds, spent_alpha, z_of


@pytest.mark.parametrize(
    ("n_looks", "expected"),
    # Published one-sided .05 bounds of the Lan-DeMets spending function of O'Brien-Fleming type (R: ldbounds,
    # gsDesign sfLDOF; SeqBounds.jl).
    [(4, (3.750, 2.540, 2.016, 1.720)), (5, (4.229, 2.888, 2.298, 1.962, 1.740))],
)
def test_the_bounds_are_the_published_ones(n_looks: int, expected: tuple[float, ...]) -> None:
    assert spending_bounds(equal_looks(n_looks)) == pytest.approx(expected, abs=6e-4)


def test_one_look_is_the_plain_test() -> None:
    assert spending_bounds([1.0], alpha=0.05) == (pytest.approx(norm.ppf(0.95), abs=1e-6),)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_level_spent_is_the_multivariate_normal_probability_of_crossing(alpha: float) -> None:
    # scipy's multivariate normal integrates the same path by another method.
    shares = (0.3, 0.5, 1.0)
    bounds = spending_bounds(shares, alpha=alpha)
    correlation = [[np.sqrt(min(a, b) / max(a, b)) for b in shares] for a in shares]
    for looks in (1, 2, 3):
        inside = multivariate_normal(np.zeros(looks), np.array(correlation)[:looks, :looks]).cdf(
            bounds[:looks]
        )
        assert 1 - float(inside) == pytest.approx(spent_alpha(shares[looks - 1], alpha=alpha), abs=2e-4)


@given(z=st.lists(st.floats(-4, 6), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
def test_the_sequential_p_value_never_rises_and_agrees_with_the_bounds(z: list[float]) -> None:
    found = [sequential_p(z[:looks], equal_looks(5)) for looks in range(1, len(z) + 1)]
    # The root is found to 1e-9 of the logarithm, so equal p values may differ by that.
    assert all(later <= before * (1 + 1e-8) for before, later in pairwise(found))
    for alpha in (0.01, 0.05):
        bounds = spending_bounds(equal_looks(5), alpha=alpha)
        has_crossed = any(value >= bound for value, bound in zip(z, bounds, strict=False))
        is_near = any(abs(value - bound) < 1e-5 for value, bound in zip(z, bounds, strict=False))
        assert is_near or (found[-1] <= alpha) == has_crossed


def test_under_no_change_the_sequential_p_value_is_small_as_seldom_as_it_says() -> None:
    rng = np.random.default_rng(3)
    path = np.cumsum(rng.normal(size=(20000, 5)), axis=1) / np.sqrt(np.arange(1, 6))
    for alpha in (0.05, 0.2):
        share = float((path >= np.array(spending_bounds(equal_looks(5), alpha=alpha))).any(axis=1).mean())
        assert share == pytest.approx(alpha, abs=4 * np.sqrt(alpha * (1 - alpha) / 20000))


@pytest.mark.parametrize("shares", [[], [0.5, 0.5], [0.0, 1.0], [0.5, 1.2]])
def test_looks_must_rise_to_at_most_all_items(shares: list[float]) -> None:
    with pytest.raises(UsageError, match="rising"):
        spending_bounds(shares)


def test_faults_name_the_value() -> None:
    with pytest.raises(UsageError, match=r"level lies in \(0, 0.5\]"):
        spending_bounds([1.0], alpha=0.7)
    with pytest.raises(UsageError, match="share of the information"):
        spent_alpha(1.5)
    with pytest.raises(UsageError, match="p value"):
        z_of(1.5)
    with pytest.raises(UsageError, match="2 looks were made of 1 planned"):
        sequential_p([1.0, 2.0], [1.0])
    with pytest.raises(UsageError, match="at least one look"):
        equal_looks(0)
