"""Adjusting many p values, against statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from harness.core.errors import UsageError
from harness.stats.family import benjamini_hochberg_adjusted, holm_adjusted

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(p_values=p_lists)
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm_adjusted(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


@given(p_values=p_lists)
def test_benjamini_hochberg_is_that_of_statsmodels_and_scipy(p_values: list[float]) -> None:
    found = benjamini_hochberg_adjusted(p_values)
    assert found == pytest.approx(multipletests(p_values, method="fdr_bh")[1], abs=1e-12)
    assert found == pytest.approx(false_discovery_control(p_values), abs=1e-12)


@pytest.mark.parametrize("adjust", [holm_adjusted, benjamini_hochberg_adjusted])
@given(p_values=p_lists)
def test_adjusting_keeps_the_order_and_never_lowers(adjust, p_values: list[float]) -> None:  # type: ignore[no-untyped-def]
    adjusted = np.array(adjust(p_values))
    assert np.all(np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0)
    assert np.all(adjusted >= np.array(p_values) * (1 - 1e-12)) and np.all(adjusted <= 1)


@given(p_values=p_lists, extra=st.floats(0, 1))
def test_one_more_rule_never_makes_the_others_more_significant(p_values: list[float], extra: float) -> None:
    assert all(
        more >= fewer
        for more, fewer in zip(holm_adjusted([*p_values, extra]), holm_adjusted(p_values), strict=False)
    )


@given(p_values=p_lists, data=st.data())
def test_rule_order_changes_nothing(p_values: list[float], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(p_values))))
    for adjust in (holm_adjusted, benjamini_hochberg_adjusted):
        adjusted = adjust(p_values)
        assert adjust([p_values[index] for index in order]) == tuple(adjusted[index] for index in order)


def test_no_rules_give_no_values_and_nonsense_is_refused() -> None:
    assert holm_adjusted([]) == () and benjamini_hochberg_adjusted([]) == ()
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="p value 1 is"):
            holm_adjusted([0.5, wrong])
