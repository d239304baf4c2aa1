"""Adjusting many p values, against statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from harness.core.errors import UsageError
from harness.stats.family import benjamini_hochberg_adjusted, family_harm, holm_adjusted

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@settings(max_examples=20, deadline=None)  # statsmodels' Holm takes a twentieth of a second
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


shares = st.floats(0, 1)


@given(
    p_values=st.lists(shares, min_size=1, max_size=6),
    macro_p=shares,
    alpha=st.sampled_from([0.01, 0.05, 0.2]),
)
def test_the_split_family_rejects_what_its_steps_reject(
    p_values: list[float], macro_p: float, alpha: float
) -> None:
    # The procedure as published, step by step: half of alpha each, passed on once one half is used up.
    holm = holm_adjusted(p_values)
    is_macro = macro_p <= alpha / 2
    rejected = [p <= (alpha if is_macro else alpha / 2) for p in holm]
    is_macro = is_macro or (all(p <= alpha / 2 for p in holm) and macro_p <= alpha)
    found = family_harm(p_values, macro_p=macro_p)
    assert [p <= alpha for p in found.rules] == rejected
    assert found.macro is not None and (found.macro <= alpha) == is_macro


def test_without_an_average_the_rules_have_the_whole_level() -> None:
    assert family_harm([0.01, 0.04, 0.03]).rules == holm_adjusted([0.01, 0.04, 0.03])
