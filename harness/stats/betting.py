"""Bets against a hypothesis: evidence that may be looked at after every item, without planning the looks.

A player who may not gain on average if the hypothesis holds seldom gets rich: the chance of ever multiplying the
stake by 1/alpha is at most alpha. Values lie in known bounds; nothing else is assumed of their distribution, only that
they come in an order that was drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import UsageError

_BOLDNESS = 0.9  # the largest bet as a share of the one that can lose everything
_PRIOR = 0.25  # variance that the bets start from, the largest of values in [0, 1]


def betting_path(
    values: ArrayLike, *, mean: float, bounds: tuple[float, float], total: int | None = None
) -> NDArray[np.float64]:
    """Log wealth after each value of a player who bets that the mean lies above `mean`.

    Args:
        values: In the order they came, shape (n,) or (runs, n).
        mean: The hypothesis: the mean is at most this.
        bounds: Lowest and highest possible value.
        total: Number of values there are at all, where the hypothesis is about just those (drawn without
            replacement); None where they are a sample of ever more.

    Returns:
        Shape as `values`; log(1/alpha) rejects at level alpha. Infinite once the hypothesis is impossible.

    Example:
        >>> path = betting_path([1.0] * 10, mean=0.0, bounds=(-1, 1))
        >>> bool(path[-1] > path[1] > path[0] == 0)
        True

    Source: Waudby-Smith and Ramdas 2024 (aGRAPA bets), 2020 (without replacement).
    """
    array, low, high = _checked(values, bounds)
    units = (np.atleast_2d(array) - low) / (high - low)
    null = (mean - low) / (high - low)
    if not 0 <= null <= 1:
        raise UsageError(f"A mean of {mean} cannot be: values lie in {bounds}.")
    n_values = units.shape[1]
    if total is not None and total < n_values:
        raise UsageError(f"{n_values} values came of {total} there are at all.")
    before = _before(units)
    seen = np.arange(n_values)
    expected = np.full(units.shape, null)
    if total is not None:
        # What the rest must average if the hypothesis holds.
        expected = (total * null - seen * before.mean) / (total - seen)
    is_impossible = expected < -1e-12
    expected = np.clip(expected, 0.0, 1.0)
    bets = _bets(before.mean, before.variance, expected)
    wealth = np.cumsum(np.log1p(bets * (units - expected)), axis=1)
    wealth[np.logical_or.accumulate(is_impossible, axis=1)] = np.inf
    if total is not None and total == n_values:
        wealth[units.sum(axis=1) > total * null + 1e-9, -1] = np.inf  # all are known
    return wealth.reshape(array.shape)


def betting_p(
    values: ArrayLike, *, mean: float, bounds: tuple[float, float], total: int | None = None
) -> float:
    """p value of "the mean is at most `mean`", valid whenever one stops.

    Args:
        values: In the order they came, shape (n,); none gives 1.
        mean: The hypothesis.
        bounds: Lowest and highest possible value.
        total: See `betting_path`.

    Example:
        >>> betting_p([], mean=0.0, bounds=(-1, 1)), betting_p([1.0] * 20, mean=0.0, bounds=(-1, 1)) < 0.001
        (1.0, True)
    """
    if np.size(values) == 0:
        return 1.0
    richest = float(np.max(betting_path(values, mean=mean, bounds=bounds, total=total)))
    return float(min(1.0, np.exp(-richest)))


class _Before:
    """Mean and variance of what came before each value, begun with one value in the middle."""

    __slots__ = ("mean", "variance")

    def __init__(self, mean: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
        self.mean = mean
        self.variance = variance


def _before(units: NDArray[np.float64]) -> _Before:
    shifted = np.concatenate([np.zeros((units.shape[0], 1)), units[:, :-1]], axis=1)
    seen = np.arange(units.shape[1])
    total = np.cumsum(shifted, axis=1)
    mean = total / np.maximum(seen, 1)
    squares = np.cumsum(shifted**2, axis=1) - seen * mean**2
    return _Before(mean, (_PRIOR + np.maximum(squares, 0.0)) / (seen + 1))


def _bets(
    mean: NDArray[np.float64], variance: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The growth-optimal bet at the mean seen so far, never one that can lose everything."""
    gain = mean - expected
    gain[:, 0] = 0.0  # nothing is known before the first value
    best = gain / (variance + gain**2)
    most = _BOLDNESS / np.maximum(expected, 1e-12)
    return np.asarray(np.clip(best, 0.0, most))


def _checked(values: ArrayLike, bounds: tuple[float, float]) -> tuple[NDArray[np.float64], float, float]:
    array = np.asarray(values, dtype=np.float64)
    low, high = bounds
    if not low < high:
        raise UsageError(f"Bounds must rise, such as (-1, 1); got {bounds}.")
    if array.ndim not in (1, 2) or array.size == 0:
        raise UsageError(f"Bets need values of shape (n,) or (runs, n), got {array.shape}.")
    if not (array >= low - 1e-9).all() or not (array <= high + 1e-9).all():
        raise UsageError(f"A value lies outside of its bounds {bounds}, or is missing.")
    return array, float(low), float(high)


def combined_p(p_values: Sequence[float], *, shares: Sequence[float]) -> float:
    """One p value of several tests of one hypothesis, each given a share of the level.

    Example:
        >>> round(combined_p([0.04, 0.001], shares=[0.8, 0.2]), 4)
        0.005

    Source: the weighted Bonferroni bound.
    """
    if len(p_values) != len(shares) or not p_values or sum(shares) > 1 + 1e-9 or min(shares) <= 0:
        raise UsageError(f"Each p value needs a positive share, together at most 1; got {tuple(shares)}.")
    return min(1.0, *(p_value / share for p_value, share in zip(p_values, shares, strict=True)))
