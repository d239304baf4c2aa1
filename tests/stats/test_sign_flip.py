"""The sign-flip permutation test, against full enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import UsageError
from harness.stats.sign_flip import EXACT_SIGN_FLIP_LIMIT, sign_flip_certify_p, sign_flip_harm_p

small_samples = st.lists(st.integers(-8, 8).map(lambda value: value / 8), min_size=1, max_size=9)


@given(values=small_samples)
def test_exact_p_value_is_the_share_of_all_sign_patterns(values: list[float]) -> None:
    # Enumerated one by one; eighths add up without rounding.
    sizes = np.abs(values)
    sums = [float(np.dot(signs, sizes)) for signs in itertools.product([-1, 1], repeat=len(values))]
    expected = np.mean([total <= sum(values) for total in sums])
    assert sign_flip_harm_p(values) == pytest.approx(expected, abs=1e-12)


def test_exact_p_value_is_that_of_scipy_permutation_test() -> None:
    values = np.array([-0.9, 0.31, -0.22, -0.47, 0.05, -0.61, 0.13])
    found = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", alternative="less", n_resamples=np.inf
    )
    assert sign_flip_harm_p(values) == pytest.approx(found.pvalue, abs=1e-12)


@given(values=small_samples, n_zeros=st.integers(0, 50))
def test_pairs_that_agree_never_change_the_p_value(values: list[float], n_zeros: int) -> None:
    assert sign_flip_harm_p(values + [0.0] * n_zeros) == sign_flip_harm_p(values)


def test_certifying_is_testing_harm_of_the_mirrored_and_shifted_sample() -> None:
    # All of 5 differences above -0.05: one pattern of 2^5.
    assert sign_flip_certify_p([0.0, 0.01, -0.01, 0.02, -0.02], margin=0.05) == 1 / 32


def test_nothing_changed_is_never_harm() -> None:
    assert sign_flip_harm_p([0.0] * 10) == 1.0


def test_thirty_equal_losses_are_counted_exactly() -> None:
    assert sign_flip_harm_p([-0.5] * EXACT_SIGN_FLIP_LIMIT) == 0.5**EXACT_SIGN_FLIP_LIMIT


def test_large_samples_need_a_generator_and_come_near_the_normal_tail() -> None:
    values = np.linspace(-1.1, 0.9, 60)
    with pytest.raises(UsageError, match="pass rng"):
        sign_flip_harm_p(values)
    # The permutation distribution has mean 0 and variance sum(d^2); its normal tail is the reference.
    expected = stats.norm.cdf(values.sum() / np.sqrt((values**2).sum()))
    found = sign_flip_harm_p(values, draws=4000, rng=np.random.default_rng(5))
    assert found == pytest.approx(expected, abs=0.02)
