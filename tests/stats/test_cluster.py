"""Variants of one source item: cluster means, design effect, and certifying on both tests."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.stats.binary import tango_certify_p, tango_interval
from harness.stats.cluster import (
    cautious_design_effect,
    cluster_codes,
    cluster_means,
    clustered_binary_certify_p,
    clustered_binary_interval,
    clustered_counts,
    design_effect,
    harmonic_size,
)
from harness.stats.mean import t_certify_p, t_interval


@st.composite
def clustered_signs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=20))
    codes = np.repeat(np.arange(len(sizes)), sizes)
    signs = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.0, 1.0]), min_size=codes.size, max_size=codes.size))
    return np.array(signs), codes


def test_cluster_means_by_hand() -> None:
    codes = cluster_codes(["b", "a", "b", "b"])
    assert codes.tolist() == [1, 0, 1, 1]
    assert cluster_means([0.0, 0.5, 1.0, 0.5], codes).tolist() == [0.5, 0.5]


def test_t_on_means_of_equal_clusters_is_the_cluster_robust_regression_of_statsmodels() -> None:
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(30), 4)
    values = rng.normal(size=30)[codes] + rng.normal(size=120)
    model = sm.OLS(values, np.ones_like(values)).fit(
        cov_type="cluster", cov_kwds={"groups": codes}, use_t=True
    )
    # statsmodels multiplies by G/(G-1) * (n-1)/(n-k), and here k = 1, so the errors are the same.
    low, high = model.conf_int(0.05)[0]
    found = t_interval(cluster_means(values, codes))
    assert found == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_design_effect_of_copies_is_the_cluster_size_and_of_independence_near_one() -> None:
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(400), 5)
    independent = rng.choice([-1.0, 0.0, 1.0], size=2000, p=[0.1, 0.8, 0.1])
    copies = independent[:400][codes]
    assert design_effect(copies, codes) == pytest.approx(5.0, rel=0.01)
    assert design_effect(independent, codes) == pytest.approx(1.0, abs=0.15)


def test_design_effect_follows_one_plus_m_minus_one_times_the_intraclass_correlation() -> None:
    # Each variant copies its source's flip with chance r, so the correlation of two variants is r^2 = .25
    # and the design effect 1 + (5 - 1) * .25 = 2.
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(3000), 5)
    shared = rng.choice([-1.0, 0.0, 1.0], size=3000, p=[0.2, 0.6, 0.2])[codes]
    own = rng.choice([-1.0, 0.0, 1.0], size=codes.size, p=[0.2, 0.6, 0.2])
    values = np.where(rng.random(codes.size) < 0.5, shared, own)
    assert design_effect(values, codes) == pytest.approx(2.0, abs=0.1)


def test_cautious_design_effect_by_hand_and_its_caution_fades() -> None:
    # Means -.5, .5, 0: squares add to .5, between (.5 + 1) / 3 = .5; total (3 * 1/3 + 1) / 4 = .5; 2 * .5/.5
    # is 2, the cluster size.
    codes = np.repeat(np.arange(3), 2)
    assert cautious_design_effect([-1.0, 0.0, 0.0, 1.0, 0.0, 0.0], codes) == pytest.approx(2.0)
    rng = np.random.default_rng(6)
    many = np.repeat(np.arange(4000), 5)
    values = rng.choice([-1.0, 0.0, 1.0], size=many.size, p=[0.1, 0.8, 0.1])
    plain = design_effect(values, many)
    assert plain <= cautious_design_effect(values, many) <= plain * 1.02


def test_harmonic_size_by_hand() -> None:
    # Sizes 1 and 3: 2 / (1 + 1/3) = 1.5
    assert harmonic_size(np.array([0, 1, 1, 1])) == pytest.approx(1.5)


@given(sample=clustered_signs())
def test_effective_size_lies_between_clusters_and_pairs(sample: tuple[np.ndarray, np.ndarray]) -> None:
    counts = clustered_counts(*sample)
    assert counts.n_clusters * (1 - 1e-9) <= counts.n_effective <= sample[1].size * (1 + 1e-9)
    assert counts.right_to_wrong + counts.wrong_to_right <= counts.n_effective * (1 + 1e-9)


def test_under_ten_discordant_clusters_each_source_item_counts_once() -> None:
    codes = np.repeat(np.arange(50), 4)
    signs = np.zeros(200)
    signs[np.arange(0, 36, 4)] = -1.0  # one variant of each of nine source items
    assert clustered_counts(signs, codes).n_effective == pytest.approx(50)
    signs[36] = -1.0  # a tenth
    assert clustered_counts(signs, codes).n_effective > 100


@given(sample=clustered_signs(), margin=st.sampled_from([0.02, 0.05, 0.2]))
def test_certifying_needs_both_tests(sample: tuple[np.ndarray, np.ndarray], margin: float) -> None:
    signs, codes = sample
    found = clustered_binary_certify_p(signs, codes, margin=margin)
    counts = clustered_counts(signs, codes)
    by_score = tango_certify_p(
        right_to_wrong=counts.right_to_wrong,
        wrong_to_right=counts.wrong_to_right,
        n_pairs=counts.n_effective,
        margin=margin,
    )
    by_means = t_certify_p(cluster_means(signs, codes), margin=margin)
    assert found == max(by_score, 0.0 if by_means is None else by_means)


@given(sample=clustered_signs())
def test_interval_is_mirrored_by_swapping_and_never_empty(sample: tuple[np.ndarray, np.ndarray]) -> None:
    signs, codes = sample
    low, high = clustered_binary_interval(signs, codes)
    other_low, other_high = clustered_binary_interval(-signs, codes)
    assert (other_low, other_high) == (pytest.approx(-high, abs=1e-8), pytest.approx(-low, abs=1e-8))
    assert high > low


@given(n_clusters=st.integers(2, 60), size=st.integers(2, 8))
def test_no_flip_at_all_counts_source_items_and_not_variants(n_clusters: int, size: int) -> None:
    codes = np.repeat(np.arange(n_clusters), size)
    low, high = clustered_binary_interval(np.zeros(codes.size), codes)
    expected = tango_interval(right_to_wrong=0, wrong_to_right=0, n_pairs=n_clusters)
    assert (low, high) == (pytest.approx(expected[0], abs=1e-9), pytest.approx(expected[1], abs=1e-9))


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="2 values came with 3 cluster labels"):
        cluster_means([0.0, 1.0], np.array([0, 0, 1]))
    with pytest.raises(UsageError, match="one label a pair"):
        cluster_codes(np.zeros((2, 2)))
