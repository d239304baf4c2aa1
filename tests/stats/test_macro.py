"""The average over tasks: equal weight to each, one unit to each source item."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.macro import macro_effect
from harness.stats.mean import t_interval


def test_tasks_weigh_the_same_whatever_their_size() -> None:
    # By hand: task means -1/2 and +1/4, their mean -1/8.
    found = macro_effect([[-1, 0], [1, 0, 0, 0]], [["a", "b"], ["c", "d", "e", "f"]])
    assert found.effect == pytest.approx(-1 / 8)


def test_few_changes_are_judged_by_every_pattern_of_signs() -> None:
    # Enumerated here: contributions -1/4, -1/4 (task of 2), +1/12, -1/12 (task of 6).
    sizes = [1 / 4, 1 / 4, 1 / 12, 1 / 12]
    sums = [
        sum(sign * size for sign, size in zip(signs, sizes, strict=True))
        for signs in product([-1, 1], repeat=4)
    ]
    expected = np.mean([total <= -0.5 + 1e-9 for total in sums])
    found = macro_effect([[-1, -1], [1, -1, 0, 0, 0, 0]], [["a", "b"], list("cdefgh")])
    assert found.harm_p == pytest.approx(expected)


def test_one_task_of_many_items_gives_the_interval_of_t() -> None:
    values = np.random.default_rng(0).normal(0.1, 1.0, 2000)
    found = macro_effect([values], [np.arange(2000)])
    low, high = t_interval(values)  # type: ignore[misc]
    assert (found.low, found.high) == (pytest.approx(low, abs=2e-3), pytest.approx(high, abs=2e-3))


def test_an_item_in_two_tasks_is_one_unit() -> None:
    twice = macro_effect([[-1] * 6, [-1] * 6], [list("abcdef")] * 2)
    apart = macro_effect([[-1] * 6, [-1] * 6], [list("abcdef"), list("ghijkl")])
    assert (twice.n_items, twice.harm_p) == (6, 2**-6)
    assert (apart.n_items, apart.harm_p) == (12, 2**-12)


def test_unchanged_tasks_of_very_unequal_size_raise_no_more_alarms_than_the_level() -> None:
    rng = np.random.default_rng(1)
    sizes, alarms, n_draws = (20, 60, 400, 1500), 0, 1500
    labels = [[f"{task}/{item}" for item in range(size)] for task, size in enumerate(sizes)]
    for _ in range(n_draws):
        values = [rng.choice([-1.0, 0.0, 1.0], size=size, p=[0.05, 0.9, 0.05]) for size in sizes]
        alarms += macro_effect(values, labels).harm_p <= 0.05
    assert alarms / n_draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_draws)


def test_a_small_loss_everywhere_is_found() -> None:
    rng = np.random.default_rng(2)
    values = [rng.choice([-1.0, 0.0, 1.0], size=500, p=[0.06, 0.9, 0.04]) for _ in range(20)]
    labels = [[f"{task}/{item}" for item in range(500)] for task in range(20)]
    assert macro_effect(values, labels).harm_p < 0.001


def test_nothing_is_no_average() -> None:
    with pytest.raises(EmptyComparison):
        macro_effect([], [])
    with pytest.raises(UsageError, match="clusters of 0"):
        macro_effect([[1.0]], [])
    assert macro_effect([[0.0, 0.0]], [["a", "b"]]).low is None
