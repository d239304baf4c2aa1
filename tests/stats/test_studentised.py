"""The bootstrap of the studentised mean: as t where there is no skew, nearer its level where there is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.core.errors import UsageError
from harness.stats.mean import t_harm_p
from harness.stats.paired import paired_effect
from harness.stats.studentised import is_skewed, relative_skewness, studentised_mean


def test_skewness_is_that_of_scipy_over_the_root_of_n() -> None:
    values = np.random.default_rng(0).lognormal(size=80)
    assert relative_skewness(values) == pytest.approx(stats.skew(values) / np.sqrt(80))
    assert relative_skewness([0.3] * 10) == 0.0


def test_without_skew_it_says_what_t_says() -> None:
    values = np.random.default_rng(1).normal(-0.1, 1, 400)
    found = studentised_mean(values)
    assert found is not None
    t = stats.ttest_1samp(values, 0, alternative="less")
    assert found.harm_p() == pytest.approx(t.pvalue, abs=0.01)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert found.interval(level=0.9) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_interval_and_certificate_agree() -> None:
    values = np.random.default_rng(2).exponential(size=60) - 1.2
    found = studentised_mean(values)
    assert found is not None
    low, _ = found.interval(level=0.9)
    assert found.certify_p(margin=-low) == pytest.approx(0.05, abs=0.002)


def test_the_order_of_the_items_changes_nothing_and_nothing_is_drawn_at_random_twice() -> None:
    values = np.random.default_rng(3).exponential(size=50) - 1
    first, second = studentised_mean(values), studentised_mean(values[::-1])
    assert first is not None and second is not None
    assert first.harm_p() == second.harm_p()


def test_rare_large_losses_raise_fewer_false_certificates_than_with_t() -> None:
    # One in five differs; of those a fifth lose .8 and the others win .2: the mean is 0 by construction, so every
    # certificate at a margin of 0 is false. 300 samples of 150; nominal .05.
    rng = np.random.default_rng(5)
    by_t = ours = 0
    for _ in range(300):
        size = np.where(rng.random(150) < 0.2, -0.8, 0.2)
        values = np.where(rng.random(150) < 0.2, size, 0.0)
        found = studentised_mean(values, draws=499, rng=rng)
        assert found is not None
        ours += found.certify_p(margin=0.0) <= 0.05
        by_t += t_harm_p(-values) <= 0.05  # type: ignore[operator]
    assert ours < by_t
    assert ours / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_a_paired_effect_of_skewed_scores_is_judged_by_it() -> None:
    rng = np.random.default_rng(6)
    losses = np.minimum(rng.lognormal(-3.0, 1.0, 200), 1.0)
    assert is_skewed(losses)
    found = paired_effect(np.ones(200), 1 - losses, range(200), binary=False, bounds=(0.0, 1.0), margin=0.2)
    assert found.method == "studentised bootstrap, studentised bootstrap interval"
    assert found.low is not None and found.high is not None
    assert found.high - found.effect < found.effect - found.low  # the long tail is on the side of loss
    assert found.harm_p < 0.001


def test_samples_too_poor_are_refused() -> None:
    assert studentised_mean([0.5, 0.5]) is None
    with pytest.raises(UsageError, match="two differences"):
        studentised_mean([0.5])
