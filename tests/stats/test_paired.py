"""The one paired comparison: properties that hold for every kind of score."""

from __future__ import annotations

import itertools
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.binary import mcnemar_harm_p, tango_certify_p, tango_interval
from harness.stats.mean import t_certify_p, t_harm_p, t_interval
from harness.stats.paired import PairedEffect, paired_effect

UNIT = (0.0, 1.0)


@st.composite
def two_runs(draw: st.DrawFn, binary: bool | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    is_binary = draw(st.booleans()) if binary is None else binary
    score = st.sampled_from([0.0, 1.0]) if is_binary else st.floats(0, 1, width=16)
    n_pairs = draw(st.integers(1, 60))
    scores = st.lists(score, min_size=n_pairs, max_size=n_pairs)
    clusters = draw(st.lists(st.integers(0, 25), min_size=n_pairs, max_size=n_pairs, unique=False))
    if draw(st.booleans()):
        clusters = list(range(n_pairs))
    return np.array(draw(scores)), np.array(draw(scores)), np.array(clusters), is_binary


def _effect(baseline, candidate, clusters, binary: bool, **options) -> PairedEffect:  # type: ignore[no-untyped-def]
    return paired_effect(
        baseline, candidate, clusters, binary=binary, bounds=UNIT, **{"margin": 0.05, **options}
    )


@given(runs=two_runs())
def test_swapping_the_runs_negates_the_effect_and_mirrors_the_interval(runs) -> None:  # type: ignore[no-untyped-def]
    baseline, candidate, clusters, binary = runs
    found = _effect(baseline, candidate, clusters, binary)
    swapped = _effect(candidate, baseline, clusters, binary)
    assert swapped.effect == pytest.approx(-found.effect, abs=1e-12)
    assert swapped.low == pytest.approx(-found.high, abs=1e-8)
    assert swapped.high == pytest.approx(-found.low, abs=1e-8)
    assert swapped.discordant_right_to_wrong == found.discordant_wrong_to_right
    # Of two opposite one-sided tests at most one is significant.
    assert found.harm_p + swapped.harm_p >= 1 - 1e-9


@given(runs=two_runs(), seed=st.integers(0, 999))
def test_the_order_of_pairs_and_the_names_of_clusters_change_no_bit(runs, seed: int) -> None:  # type: ignore[no-untyped-def]
    baseline, candidate, clusters, binary = runs
    order = np.random.default_rng(seed).permutation(baseline.size)
    found = _effect(baseline, candidate, clusters, binary)
    shuffled = _effect(baseline[order], candidate[order], clusters[order], binary)
    assert astuple(shuffled) == astuple(found)
    renamed = np.array([f"item-{(label * 7919) % 104729}" for label in clusters])
    assert astuple(_effect(baseline, candidate, renamed, binary)) == astuple(found)


@given(runs=two_runs())
def test_identical_runs_are_never_harm_and_never_without_width(runs) -> None:  # type: ignore[no-untyped-def]
    baseline, _, clusters, binary = runs
    found = _effect(baseline, baseline, clusters, binary)
    assert found.effect == 0 and found.harm_p >= 0.5
    assert found.low < 0 < found.high


@given(runs=two_runs())
def test_interval_holds_the_effect_within_the_bounds(runs) -> None:  # type: ignore[no-untyped-def]
    found = _effect(*runs)
    assert -1 <= found.low <= found.effect + 1e-9
    assert found.effect - 1e-9 <= found.high <= 1
    assert found.high > found.low


@given(runs=two_runs(), margin=st.sampled_from([0.02, 0.05, 0.3]))
def test_a_certified_candidate_has_an_interval_that_clears_the_margin(runs, margin: float) -> None:  # type: ignore[no-untyped-def]
    found = _effect(*runs, margin=margin, level=0.90)
    if found.certify_p < 0.05 - 1e-9:
        assert found.low > -margin - 1e-9


@given(runs=two_runs(binary=True), n_more=st.integers(1, 40))
def test_adding_pairs_that_agree_never_changes_the_harm_p_value(runs, n_more: int) -> None:  # type: ignore[no-untyped-def]
    baseline, candidate, clusters, _ = runs
    found = _effect(baseline, candidate, clusters, True)
    more = np.concatenate([clusters, 1000 + np.arange(n_more)])
    grown = _effect(np.r_[baseline, np.ones(n_more)], np.r_[candidate, np.ones(n_more)], more, True)
    assert grown.harm_p == found.harm_p


@given(runs=two_runs(binary=True))
def test_the_estimand_is_the_mean_over_source_items_of_their_variants_mean(runs) -> None:  # type: ignore[no-untyped-def]
    baseline, candidate, clusters, _ = runs
    found = _effect(baseline, candidate, clusters, True)
    by_item = [(candidate - baseline)[clusters == label].mean() for label in np.unique(clusters)]
    assert found.effect == pytest.approx(np.mean(by_item), abs=1e-12)
    assert found.candidate_mean - found.baseline_mean == pytest.approx(found.effect, abs=1e-12)
    assert found.n_clusters == len(by_item)


def test_independent_zero_one_scores_use_mcnemar_and_tango() -> None:
    baseline = np.r_[np.ones(12), np.zeros(4), np.ones(84)]
    candidate = np.r_[np.zeros(12), np.ones(4), np.ones(84)]
    found = _effect(baseline, candidate, np.arange(100), True)
    counts = {"right_to_wrong": 12, "wrong_to_right": 4}
    assert found.harm_p == mcnemar_harm_p(**counts)
    assert (found.low, found.high) == tango_interval(n_pairs=100, **counts)
    assert found.certify_p == tango_certify_p(n_pairs=100, margin=0.05, **counts)
    assert (found.discordant_right_to_wrong, found.discordant_wrong_to_right) == (12, 4)
    assert (found.baseline_mean, found.candidate_mean, found.deff) == (0.96, 0.88, 1.0)


def test_many_changed_continuous_scores_use_t() -> None:
    rng = np.random.default_rng(1)
    baseline, candidate = rng.random(80), rng.random(80)
    found = _effect(baseline, candidate, np.arange(80), False)
    differences = candidate - baseline
    assert found.harm_p == pytest.approx(t_harm_p(differences))
    assert found.certify_p == pytest.approx(t_certify_p(differences, margin=0.05))
    assert (found.low, found.high) == pytest.approx(t_interval(differences))
    assert found.discordant_right_to_wrong is None


def test_clustered_harm_is_the_permutation_of_whole_source_items() -> None:
    # Two variants of each of six items; every assignment of the runs' names to items, enumerated.
    baseline = np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1], dtype=float)
    candidate = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=float)
    means = (candidate - baseline).reshape(6, 2).mean(axis=1)
    sums = [np.dot(signs, means) for signs in itertools.product([-1, 1], repeat=6)]
    expected = np.mean(np.array(sums) <= means.sum() + 1e-12)
    found = _effect(baseline, candidate, np.repeat(np.arange(6), 2), True)
    assert found.harm_p == pytest.approx(expected, abs=1e-12)


def test_lower_is_better_scores_come_in_negated_with_their_bounds() -> None:
    rng = np.random.default_rng(2)
    is_refusal, was_refusal = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    negated = paired_effect(
        -was_refusal, -is_refusal, np.arange(50), binary=True, bounds=(-1.0, 0.0), margin=0.05
    )
    complement = _effect(1 - was_refusal, 1 - is_refusal, np.arange(50), True)
    assert negated.effect == complement.effect
    assert (negated.low, negated.high, negated.harm_p) == (complement.low, complement.high, complement.harm_p)
    assert negated.certify_p == complement.certify_p


@settings(max_examples=30)
@given(runs=two_runs(), span=st.sampled_from([4.0, 100.0]))
def test_the_metrics_unit_scales_through(runs, span: float) -> None:  # type: ignore[no-untyped-def]
    baseline, candidate, clusters, binary = runs
    found = _effect(baseline, candidate, clusters, binary)
    scaled = paired_effect(
        baseline * span, candidate * span, clusters, binary=binary, bounds=(0.0, span), margin=0.05 * span
    )
    assert scaled.low == pytest.approx(found.low * span, abs=1e-6)
    assert scaled.certify_p == pytest.approx(found.certify_p, abs=1e-9)
    assert scaled.harm_p == pytest.approx(found.harm_p, abs=1e-9)


def test_unbounded_scores_without_variance_have_no_interval_and_are_not_certified() -> None:
    scores = np.linspace(-9, -2, 40)
    found = paired_effect(scores, scores, np.arange(40), binary=False, bounds=(None, 0.0), margin=0.05)
    assert (found.low, found.high, found.certify_p) == (None, None, 1.0)
    assert "no interval" in found.method
    worse = paired_effect(scores, scores - 0.25, np.arange(40), binary=False, bounds=(None, 0.0), margin=0.05)
    # All of 40 the same loss: one sign pattern of 2^40.
    assert worse.harm_p == 0.5**40


def test_a_graded_score_with_one_rare_failure_is_not_certified_by_t() -> None:
    # Planted fault: 60 equal pairs and a hair of noise; t alone is certain, the bounds are not.
    candidate = np.full(60, 0.8)
    candidate[:3] += [1e-3, -1e-3, 2e-3]
    found = _effect(np.full(60, 0.8), candidate, np.arange(60), False, margin=0.02)
    assert t_certify_p(candidate - 0.8, margin=0.02) < 1e-6
    assert found.certify_p > 0.05
    assert found.high - found.low > 0.05


@given(
    n_pairs=st.integers(1, 40),
    kind=st.sampled_from(["binary", "bounded", "unbounded"]),
    margin=st.floats(0, 0.5),
)
def test_without_a_change_the_p_values_stay_in_range(n_pairs: int, kind: str, margin: float) -> None:
    bounds = (None, None) if kind == "unbounded" else UNIT
    ones = np.ones(n_pairs)
    found = paired_effect(
        ones, ones, np.arange(n_pairs), binary=kind == "binary", bounds=bounds, margin=margin
    )
    assert 0 <= found.harm_p <= 1 and 0 <= found.certify_p <= 1


def test_without_a_margin_nothing_is_certified_or_refused() -> None:
    assert _effect([1, 0], [1, 1], ["a", "b"], True, margin=None).certify_p is None


@pytest.mark.parametrize(
    ("baseline", "candidate", "clusters", "options", "message"),
    [
        ([1, 0], [1], ["a", "b"], {}, "2 baseline scores, 1 candidate scores"),
        ([1, 0], [1, 0], ["a"], {}, "1 cluster labels"),
        ([1, 0.5], [1, 0], ["a", "b"], {}, "Score 1 of the baseline is 0.5"),
        ([1, 0], [1, float("nan")], ["a", "b"], {}, "Score 1 of the candidate is nan"),
        ([1, 0], [1, 2], ["a", "b"], {"binary": False}, "Score 1 of the candidate is 2.0, not within"),
        ([[1]], [1], ["a"], {}, "one-dimensional"),
        ([1], [1], ["a"], {"margin": -0.1}, "margin must be at least 0"),
        ([1], [1], ["a"], {"margin": 1.0}, "below the span"),
        ([1], [1], ["a"], {"bounds": (0, None)}, "need both bounds"),
        ([1], [1], ["a"], {"bounds": (1, 0)}, "Bounds must rise"),
        ([1], [1], ["a"], {"level": 0.0}, "level must lie"),
    ],
)
def test_pairs_that_do_not_line_up_are_refused(baseline, candidate, clusters, options, message) -> None:  # type: ignore[no-untyped-def]
    settings_used = {"binary": True, "bounds": UNIT, "margin": 0.05, **options}
    with pytest.raises(UsageError, match=message):
        paired_effect(baseline, candidate, clusters, **settings_used)


def test_no_pairs_is_an_empty_comparison() -> None:
    with pytest.raises(EmptyComparison):
        _effect([], [], [], True)
