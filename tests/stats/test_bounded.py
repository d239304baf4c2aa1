"""Differences with known bounds, judged where t sees no variance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.stats.binary import tango_certify_p, tango_interval
from harness.stats.bounded import bounded_certify_p, bounded_interval, effective_changes

samples = st.lists(st.floats(-1, 1), min_size=1, max_size=40)
signs = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=60)


@given(values=signs)
def test_whole_flips_are_judged_as_zero_one_scores(values: list[float]) -> None:
    counts = {"right_to_wrong": values.count(-1.0), "wrong_to_right": values.count(1.0)}
    assert bounded_interval(values, span=1.0) == tango_interval(n_pairs=len(values), **counts)
    assert bounded_certify_p(values, span=1.0, margin=0.1) == tango_certify_p(
        n_pairs=len(values), margin=0.1, **counts
    )
    assert effective_changes(values) == pytest.approx(sum(counts.values()))


@given(values=samples)
def test_interval_has_width_and_holds_the_mean(values: list[float]) -> None:
    low, high = bounded_interval(values, span=1.0)
    mean = sum(values) / len(values)
    assert low - 1e-9 <= mean <= high + 1e-9
    assert high > low


@given(values=samples, span=st.sampled_from([2.0, 100.0]))
def test_units_scale_through(values: list[float], span: float) -> None:
    low, high = bounded_interval(values, span=1.0)
    scaled = bounded_interval([value * span for value in values], span=span)
    assert scaled == (pytest.approx(low * span, abs=1e-6), pytest.approx(high * span, abs=1e-6))


def test_rounding_noise_does_not_count_as_changes() -> None:
    # Two flips among 98 differences of 1e-7: (2 + 98e-7)^2 / (2 + 98e-14), by hand just above 2.
    assert effective_changes([1.0, -1.0] + [1e-7] * 98) == pytest.approx(2.0, abs=1e-4)


def test_differences_beyond_the_span_are_refused() -> None:
    with pytest.raises(UsageError, match="beyond the declared span"):
        bounded_interval([0.5, -3.0], span=1.0)
