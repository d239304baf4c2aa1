"""Corpus metrics: swap permutation and cluster bootstrap, against enumeration and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import f1_score

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.corpus import (
    corpus_effect,
    draws_needed,
    generator_from_digest,
    paired_bootstrap,
    swap_permutation,
)
from harness.stats.sign_flip import sign_flip_harm_p


def _rng() -> np.random.Generator:
    return generator_from_digest("5eed")


def _macro_f1(rows: np.ndarray) -> float:
    """Rows of (target, prediction)."""
    return float(f1_score(rows[:, 0], rows[:, 1], average="macro", labels=[0, 1, 2], zero_division=0.0))


def test_swapping_a_mean_is_the_sign_flip_test() -> None:
    rng = np.random.default_rng(8)
    baseline, candidate = rng.random(9), rng.random(9) - 0.2
    found = swap_permutation(np.mean, baseline, candidate, np.arange(9), draws=512, rng=_rng())
    assert found == pytest.approx(sign_flip_harm_p(candidate - baseline), abs=1e-12)


def test_full_enumeration_on_macro_f1_is_that_of_scipy() -> None:
    rng = np.random.default_rng(9)
    target = rng.integers(0, 3, 8)
    baseline = np.column_stack([target, np.where(rng.random(8) < 0.1, (target + 1) % 3, target)])
    candidate = np.column_stack([target, np.where(rng.random(8) < 0.6, (target + 1) % 3, target)])

    def statistic(first: np.ndarray, second: np.ndarray) -> float:
        first_rows, second_rows = np.column_stack([target, first]), np.column_stack([target, second])
        return round(_macro_f1(first_rows) - _macro_f1(second_rows), 12)

    reference = stats.permutation_test(
        (candidate[:, 1], baseline[:, 1]),
        statistic,
        permutation_type="samples",
        alternative="less",
        n_resamples=np.inf,
        vectorized=False,
    )
    found = swap_permutation(_macro_f1, baseline, candidate, np.arange(8), draws=256, rng=_rng())
    assert found == pytest.approx(reference.pvalue, abs=1e-12)


def test_whole_clusters_are_swapped() -> None:
    # Three clusters of two rows, each losing: 1 of 2^3 swaps, not 1 of 2^6.
    baseline = np.ones(6)
    found = swap_permutation(np.mean, baseline, baseline - 1, [0, 0, 1, 1, 2, 2], draws=100, rng=_rng())
    assert found == 1 / 8


def test_random_swaps_come_near_the_enumeration() -> None:
    rng = np.random.default_rng(10)
    baseline, candidate = rng.random(12), rng.random(12) - 0.1
    exact = swap_permutation(np.mean, baseline, candidate, np.arange(12), draws=4096, rng=_rng())
    drawn = swap_permutation(np.mean, baseline, candidate, np.arange(12), draws=3000, rng=_rng())
    assert drawn == pytest.approx(exact, abs=0.03)


def test_the_bootstrap_of_a_mean_has_the_standard_error_of_its_clusters() -> None:
    rng = np.random.default_rng(11)
    codes = np.repeat(np.arange(60), 3)
    baseline = np.zeros(180)
    candidate = rng.normal(size=60)[codes]
    effects = paired_bootstrap(np.mean, baseline, candidate, codes, draws=1500, rng=_rng())
    expected = candidate[::3].std() / np.sqrt(60)
    assert effects.std() == pytest.approx(expected, rel=0.08)


def test_equal_seeds_give_equal_answers_and_other_seeds_other_draws() -> None:
    rng = np.random.default_rng(12)
    baseline, candidate = rng.random(40), rng.random(40)
    found = [
        corpus_effect(
            np.mean,
            baseline,
            candidate,
            np.arange(40),
            draws=50,
            rng=generator_from_digest(seed),
            margin=0.05,
        )
        for seed in ("aa", "aa", "bb")
    ]
    assert found[0] == found[1] != found[2]


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), n_items=st.integers(1, 40))
def test_identical_runs_are_never_harm_and_never_certified(seed: int, n_items: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 3, (n_items, 2))
    found = corpus_effect(_macro_f1, rows, rows, np.arange(n_items), draws=16, rng=_rng(), margin=0.05)
    assert (found.effect, found.harm_p, found.certify_p) == (0.0, 1.0, 1.0)
    assert (found.low, found.high, found.n_changed_clusters) == (None, None, 0)


def test_a_planted_loss_is_found_and_a_gain_is_certified() -> None:
    rng = np.random.default_rng(13)
    target = rng.integers(0, 3, 200)
    good = np.column_stack([target, np.where(rng.random(200) < 0.10, (target + 1) % 3, target)])
    bad = np.column_stack([target, np.where(rng.random(200) < 0.30, (target + 1) % 3, target)])
    harm = corpus_effect(_macro_f1, good, bad, np.arange(200), draws=200, rng=_rng(), margin=0.05)
    gain = corpus_effect(_macro_f1, bad, good, np.arange(200), draws=200, rng=_rng(), margin=0.05)
    assert harm.harm_p == 1 / 201 and harm.high < 0 and harm.certify_p == 1.0
    assert gain.certify_p == 1 / 201 and gain.low > 0 and gain.harm_p == 1.0
    assert harm.baseline_value == pytest.approx(_macro_f1(good))


def test_draws_follow_the_number_of_rules() -> None:
    # 20 x 7 rules / .05 by hand.
    assert draws_needed(7, alpha=0.05) == 2800
    with pytest.raises(UsageError):
        draws_needed(0, alpha=0.05)


def test_rows_that_do_not_line_up_and_undefined_metrics_are_refused() -> None:
    ones = np.ones(3)
    with pytest.raises(UsageError, match="line up"):
        swap_permutation(np.mean, ones, np.ones(2), [1, 2, 3], draws=5, rng=_rng())
    with pytest.raises(UsageError, match="at least one draw"):
        swap_permutation(np.mean, ones, ones, [1, 2, 3], draws=0, rng=_rng())
    with pytest.raises(UsageError, match="corpus metric is nan"):
        swap_permutation(lambda rows: float("nan"), ones, ones, [1, 2, 3], draws=5, rng=_rng())
    with pytest.raises(UsageError, match="margin must be"):
        corpus_effect(np.mean, ones, ones, [1, 2, 3], draws=5, rng=_rng(), margin=-1.0)
    with pytest.raises(EmptyComparison):
        swap_permutation(np.mean, np.ones(0), np.ones(0), [], draws=5, rng=_rng())
