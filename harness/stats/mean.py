"""The mean of independent paired differences, by Student's t.

A sample without variance tells nothing about the spread it hides, so these functions answer None there
instead of a zero-width interval or a p value of 0; `bounded` holds what is left to say when the
differences have known bounds.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from harness.core.errors import EmptyComparison, UsageError
from harness.stats.binary import check_level

RELATIVE_ZERO = 1e-9
"""Spread below this share of the largest difference is rounding, not evidence."""


def exact_mean(values: ArrayLike) -> float:
    """Correctly rounded mean, hence the same to the last bit in any order.

    Example:
        >>> exact_mean([1e16, 1.0, -1e16, 1.0])
        0.5
    """
    array = finite_differences(values)
    return math.fsum(array.tolist()) / array.size


def t_harm_p(differences: ArrayLike) -> float | None:
    """One-sided paired t test that the mean difference is below zero.

    Args:
        differences: Candidate minus baseline, shape (n,), higher is better.

    Returns:
        p value of the hypothesis mean >= 0, or None where the sample has no variance.

    Example:
        >>> round(t_harm_p([-1.0, -2.0, -3.0]), 4)
        0.0371
        >>> t_harm_p([-1.0, -1.0, -1.0]) is None
        True
    """
    array = finite_differences(differences)
    error = _standard_error(array)
    if error is None:
        return None
    return float(stdtr(array.size - 1, exact_mean(array) / error))


def t_certify_p(differences: ArrayLike, *, margin: float) -> float | None:
    """One-sided paired t test of non-inferiority: small says the mean lies above -margin.

    Example:
        >>> round(t_certify_p([1.0, 2.0, 3.0], margin=0.0), 4)
        0.0371
    """
    array = finite_differences(differences)
    error = _standard_error(array)
    if error is None:
        return None
    return float(stdtr(array.size - 1, -(exact_mean(array) + margin) / error))


def t_interval(differences: ArrayLike, *, level: float = 0.95) -> tuple[float, float] | None:
    """Two-sided t interval for the mean difference, or None where the sample has no variance.

    Example:
        >>> low, high = t_interval([1.0, 2.0, 3.0])
        >>> round(low, 3), round(high, 3)
        (-0.484, 4.484)
    """
    check_level(level)
    array = finite_differences(differences)
    error = _standard_error(array)
    if error is None:
        return None
    centre = exact_mean(array)
    reach = float(stdtrit(array.size - 1, (1 + level) / 2)) * error
    return centre - reach, centre + reach


def finite_differences(values: ArrayLike) -> NDArray[np.float64]:
    """The differences as a float array of shape (n,), n >= 1; raises where one is missing or infinite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise UsageError(f"Differences must be one-dimensional, got shape {array.shape}.")
    if array.size == 0:
        raise EmptyComparison("There are no differences to average; at least one pair is needed.")
    if not np.isfinite(array).all():
        raise UsageError(
            f"{int((~np.isfinite(array)).sum())} of {array.size} differences are not finite; leave missing "
            "scores out of the pairs instead of passing NaN."
        )
    return array


def _standard_error(array: NDArray[np.float64]) -> float | None:
    if array.size < 2:
        return None
    centre = exact_mean(array)
    squares = math.fsum(((array - centre) ** 2).tolist())
    spread = math.sqrt(squares / (array.size - 1))
    if spread <= RELATIVE_ZERO * float(np.abs(array).max()):
        return None
    return spread / math.sqrt(array.size)
