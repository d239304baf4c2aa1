"""Where the doubt comes from: known components found again, and the advice that follows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from harness.core.errors import UsageError
from harness.stats.variance import Attribution, variance_attribution


def simulated(
    rng: np.random.Generator, *, sizes: tuple[int, int, int, int], spreads: tuple[float, float, float, float]
) -> Attribution:
    """Scores of (items, variants, seeds, samples) with the given standard deviations."""
    items, variants, seeds, samples = sizes
    values = (
        rng.normal(0, spreads[0], (items, 1, 1, 1))
        + rng.normal(0, spreads[1], (items, variants, 1, 1))
        + rng.normal(0, spreads[2], (1, 1, seeds, 1))
        + rng.normal(0, spreads[3], sizes)
    )
    labels = list(product(*(range(size) for size in sizes)))
    return variance_attribution(
        values.ravel(),
        items=[item for item, _, _, _ in labels],
        variants=[f"{item}/{variant}" for item, variant, _, _ in labels],
        seeds=[seed for _, _, seed, _ in labels],
    )


def test_known_variances_are_found_again() -> None:
    rng = np.random.default_rng(0)
    found = [simulated(rng, sizes=(60, 3, 4, 2), spreads=(0.3, 0.2, 0.1, 0.4)) for _ in range(60)]
    for place, spread in enumerate((0.3, 0.2, 0.1, 0.4)):
        variances = [each.shares[place].variance for each in found]
        assert np.mean(variances) == pytest.approx(spread**2, rel=0.15)  # type: ignore[arg-type]


def test_the_standard_error_is_the_spread_of_the_mean_over_repeats() -> None:
    # By the formula for the mean of a crossed and nested design:
    # .09/60 + .04/180 + .01/4 + .16/1440, all as drawn above.
    expected = np.sqrt(0.09 / 60 + 0.04 / 180 + 0.01 / 4 + 0.16 / 1440)
    rng = np.random.default_rng(1)
    found = [simulated(rng, sizes=(60, 3, 4, 2), spreads=(0.3, 0.2, 0.1, 0.4)).error ** 2 for _ in range(60)]
    assert np.sqrt(np.mean(found)) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("sizes", "spreads", "advice"),
    [
        ((100, 2, 3, 2), (0.5, 0.1, 0.01, 0.1), "more items"),
        ((100, 2, 1, 4), (0.0, 0.0, 0.0, 1.0), "more samples of each answer"),
        ((100, 2, 3, 2), (0.05, 0.0, 0.5, 0.1), "more seeds"),
        ((20, 9, 2, 1), (0.0, 0.5, 0.0, 0.1), "more variants of each item"),
    ],
)
def test_the_advice_follows_the_largest_part(
    sizes: tuple[int, int, int, int], spreads: tuple[float, float, float, float], advice: str
) -> None:
    assert simulated(np.random.default_rng(2), sizes=sizes, spreads=spreads).advice == advice


def test_what_there_is_one_of_is_not_told_apart() -> None:
    found = simulated(np.random.default_rng(3), sizes=(50, 1, 1, 1), spreads=(0.3, 0.0, 0.0, 0.0))
    seen = {share.source: share.variance for share in found.shares}
    assert (seen["variant"], seen["seed"], seen["sample"]) == (None, None, None)
    assert found.advice == "more items"


def test_unvarying_scores_need_no_advice() -> None:
    found = variance_attribution([1.0, 1.0], items=[0, 1], variants=[0, 1], seeds=[0, 0])
    assert (found.error, found.advice) == (0.0, None)


def test_faults_name_what_is_absent() -> None:
    with pytest.raises(UsageError, match="two of them, got 1"):
        variance_attribution([1.0, 0.0], items=[0, 0], variants=[0, 1], seeds=[0, 0])
    with pytest.raises(UsageError, match="a value of every seed"):
        variance_attribution([1.0, 0.0, 1.0], items=[0, 1, 1], variants=[0, 1, 1], seeds=[0, 0, 1])
    with pytest.raises(UsageError, match="needs an item"):
        variance_attribution([1.0], items=[0, 1], variants=[0], seeds=[0])
