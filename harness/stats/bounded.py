"""The mean of differences with known bounds, judged safely where few or none of them changed.

Student's t sees no variance where nothing happened to change, and then certifies a model whose rare
failures the sample missed. Here the bounds stand in for the variance the sample did not show.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from harness.core.errors import UsageError
from harness.stats.binary import tango_certify_p, tango_interval
from harness.stats.mean import finite_differences


def effective_changes(differences: ArrayLike) -> float:
    """How many equal-sized changes the differences amount to: (sum |d|)^2 / sum d^2.

    For 0-1 scores it is the number of discordant pairs; a few flips among much rounding noise still count
    as a few. 0 when nothing differs.

    Example:
        >>> effective_changes([0.0, -1.0, 1.0, 0.0])
        2.0
    """
    sizes = np.abs(finite_differences(differences))
    largest = float(sizes.max())
    if largest == 0:
        return 0.0
    scaled = (sizes / largest).tolist()
    return math.fsum(scaled) ** 2 / math.fsum(size * size for size in scaled)


def bounded_certify_p(differences: ArrayLike, *, span: float, margin: float) -> float:
    """Non-inferiority for differences inside [-span, span], safe with no variance at all.

    Losses and gains are added up as fractions of the span and judged by Tango's test. A difference of size
    s has a square of at most s, so the variance is never understated; it is overstated where changes are
    many and small, which makes this the fallback and not the rule.

    Example:
        >>> round(bounded_certify_p([0.0] * 50, span=1.0, margin=0.02), 3)
        0.156
    """
    lost, won, n_pairs = _fractional_counts(differences, span)
    return tango_certify_p(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, margin=margin / span)


def bounded_interval(differences: ArrayLike, *, span: float, level: float = 0.95) -> tuple[float, float]:
    """Interval for the mean of differences inside [-span, span]; never of zero width.

    Example:
        >>> low, high = bounded_interval([0.0] * 100, span=1.0)
        >>> round(low, 3), round(high, 3)
        (-0.037, 0.037)
    """
    lost, won, n_pairs = _fractional_counts(differences, span)
    low, high = tango_interval(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, level=level)
    return low * span, high * span


def _fractional_counts(differences: ArrayLike, span: float) -> tuple[float, float, float]:
    array = finite_differences(differences)
    if not span > 0 or float(np.abs(array).max()) > span * (1 + 1e-9):
        raise UsageError(f"Differences reach {float(np.abs(array).max())}, beyond the declared span {span}.")
    losses = math.fsum((-array[array < 0]).tolist()) / span
    gains = math.fsum(array[array > 0].tolist()) / span
    return losses, gains, float(array.size)
