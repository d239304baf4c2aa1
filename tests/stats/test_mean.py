"""Student's t on paired differences, and its silence where there is no variance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.mean import exact_mean, finite_differences, t_certify_p, t_harm_p, t_interval

differences = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=40).filter(
    lambda values: float(np.std(values)) > 1e-4
)


@given(values=differences, margin=st.floats(0, 0.5))
def test_p_values_are_those_of_scipy(values: list[float], margin: float) -> None:
    expected = stats.ttest_1samp(values, 0, alternative="less").pvalue
    assert t_harm_p(values) == pytest.approx(expected, abs=1e-9)
    expected = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    assert t_certify_p(values, margin=margin) == pytest.approx(expected, abs=1e-9)


@given(values=differences, level=st.sampled_from([0.5, 0.9, 0.95]))
def test_interval_is_that_of_scipy(values: list[float], level: float) -> None:
    expected = stats.ttest_1samp(values, 0).confidence_interval(level)
    found = t_interval(values, level=level)
    assert found == (pytest.approx(expected.low, abs=1e-9), pytest.approx(expected.high, abs=1e-9))


@pytest.mark.parametrize("values", [[0.0], [0.0] * 50, [0.3] * 50, [0.7 - 0.6, 0.3 - 0.2, 0.5 - 0.4]])
def test_a_sample_without_variance_gets_no_answer(values: list[float]) -> None:
    # The last one differs in the sixteenth digit only: rounding is no variance.
    assert t_interval(values) is None
    assert t_harm_p(values) is None
    assert t_certify_p(values, margin=0.05) is None


@given(values=differences, seed=st.integers(0, 99))
def test_order_changes_no_bit(values: list[float], seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(values)
    assert exact_mean(shuffled) == exact_mean(values)
    assert t_interval(shuffled) == t_interval(values)


def test_missing_values_are_refused_and_none_at_all_is_an_empty_comparison() -> None:
    with pytest.raises(UsageError, match="1 of 2 differences are not finite"):
        finite_differences([0.0, float("nan")])
    with pytest.raises(UsageError, match="one-dimensional"):
        finite_differences([[0.0]])
    with pytest.raises(EmptyComparison):
        finite_differences([])
