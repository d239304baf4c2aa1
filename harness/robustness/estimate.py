"""A number with its interval and with what it was worked out from; the source item is the unit of every interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from harness.core.errors import UsageError
from harness.stats.binary import check_level
from harness.stats.bounded import bounded_interval, effective_changes
from harness.stats.cluster import cluster_codes, cluster_means
from harness.stats.mean import exact_mean, t_interval

MIN_CHANGES = 10
"""Below this many effective changes the bounds' word is added to Student's t."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One measured number.

    Attributes:
        value: None where nothing could be measured.
        low: Lower end of the interval; None where none is honest.
        high: Upper end.
        n: Values that there should have been.
        n_scored: Those there were.
        n_items: Source items they came from.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_scored: int
    n_items: int


def number_array(values: Sequence[float | None] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Values as floats, NaN where missing; shape (n,).

    Raises:
        UsageError: If they are not one-dimensional, or one is infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or np.isinf(array).any():
        raise UsageError(
            f"Values must be one-dimensional and finite or missing, got shape {array.shape} with "
            f"{int(np.isinf(array).sum())} infinite."
        )
    return array


def same_length(**sequences: Sequence[object] | NDArray[np.generic]) -> int:
    """The length that all sequences share.

    Raises:
        UsageError: If they differ.
    """
    lengths = {name: len(sequence) for name, sequence in sequences.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} {name}" for name, length in lengths.items())
        raise UsageError(f"Every answer needs one of each, got {told}.")
    return next(iter(lengths.values()))


def mean_estimate(
    values: Sequence[float | None] | NDArray[np.float64],
    items: Sequence[str],
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    level: float = 0.95,
) -> Estimate:
    """Mean over source items of the mean over each item's values.

    Args:
        values: Shape (n,); None or NaN where missing.
        items: Source item of each.
        bounds: Lowest and highest possible value.
        level: Coverage of the interval.

    Example:
        >>> found = mean_estimate([1.0, 0.0, 1.0, None], ["a", "a", "b", "c"])
        >>> found.value, found.n, found.n_scored, found.n_items
        (0.75, 4, 3, 2)
    """
    array = number_array(values)
    n = same_length(values=array, items=items)
    there = ~np.isnan(array)
    if not there.any():
        return Estimate(None, None, None, n, 0, 0)
    units = cluster_means(array[there], cluster_codes(np.asarray(items)[there]))
    low, high = mean_interval(units, bounds=bounds, level=level)
    return Estimate(exact_mean(units), low, high, n, int(there.sum()), units.size)


def mean_interval(
    units: NDArray[np.float64], *, bounds: tuple[float, float], level: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean of bounded units: t, and where few stand off a bound the wider reach of Wilson's too.

    A unit inside of the bounds varies less than a 0-1 one of the same mean, so Wilson's never claims too much, and is
    never of zero width.

    Args:
        units: One a source item, shape (n,).
        bounds: Lowest and highest possible value.
        level: Coverage.
    """
    lowest, highest = bounds
    span = highest - lowest
    total = min(max(math.fsum(((units - lowest) / span).tolist()), 0.0), float(units.size))
    by_t = t_interval(units, level=level)
    low, high = wilson_interval(total, units.size, level=level)
    low, high = lowest + span * low, lowest + span * high
    if by_t is None:
        return low, high
    if min(total, units.size - total) >= MIN_CHANGES:
        low, high = by_t
    return max(lowest, min(low, by_t[0])), min(highest, max(high, by_t[1]))


def wilson_interval(total: float, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share.

    Example:
        >>> [round(end, 4) for end in wilson_interval(0, 10)]
        [0.0, 0.2775]

    Source: Wilson 1927.
    """
    check_level(level)
    z = float(ndtri((1 + level) / 2))
    share = total / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - reach), min(1.0, centre + reach)


def difference_interval(
    units: NDArray[np.float64], *, span: float = 1.0, level: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean of paired differences: t, and the bounds' word too where few of them changed.

    Args:
        units: One a source item, each inside [-span, span], shape (n,).
        span: Highest minus lowest possible value of what is compared.
        level: Coverage.

    Example:
        >>> low, high = difference_interval(np.zeros(100))
        >>> round(low, 3), round(high, 3)
        (-0.037, 0.037)
    """
    by_t = t_interval(units, level=level)
    if by_t is not None and effective_changes(units) >= MIN_CHANGES:
        return max(-span, by_t[0]), min(span, by_t[1])
    low, high = bounded_interval(units, span=span, level=level)
    if by_t is not None:
        low, high = min(low, by_t[0]), max(high, by_t[1])
    return max(-span, low), min(span, high)


def ratio_interval(
    numerators: NDArray[np.float64], denominators: NDArray[np.float64], *, level: float = 0.95
) -> tuple[float, float] | None:
    """Fieller's interval for the mean of one over the mean of the other, of the same source items.

    None where the denominator cannot be told from zero: the ratio may then be anything.

    Args:
        numerators: One a source item, shape (n,).
        denominators: The same items'.
        level: Coverage.

    Example:
        >>> ratio_interval(np.array([1.0, 2.0, 1.0]), np.array([1.0, -1.0, 0.5])) is None
        True

    Source: Fieller 1954.
    """
    check_level(level)
    n = numerators.size
    if n < 2:
        return None
    above, below = exact_mean(numerators), exact_mean(denominators)
    spread = np.cov(numerators, denominators) / n
    squared = float(stdtrit(n - 1, (1 + level) / 2)) ** 2
    leading = below**2 - squared * float(spread[1, 1])
    if leading <= 0:
        return None
    middle = above * below - squared * float(spread[0, 1])
    rest = above**2 - squared * float(spread[0, 0])
    root = math.sqrt(max(middle**2 - leading * rest, 0.0))
    return (middle - root) / leading, (middle + root) / leading
