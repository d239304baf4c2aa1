"""The mean of skewed differences: Student's statistic, judged by its own bootstrap distribution.

Where a few large losses stand against many small gains, Student's t says harm too seldom on one side and too often on
the other. The bootstrap of the studentised mean sees the skew.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import UsageError
from harness.stats.binary import check_level
from harness.stats.mean import RELATIVE_ZERO, exact_mean, finite_differences

DRAWS = 9_999
SKEW_LIMIT = 0.15
"""Skewness over the root of n beyond which t's one-sided .05 is off by more than about .015."""

_AT_ONCE = 2_000_000  # values drawn at once


@dataclass(frozen=True, slots=True)
class StudentisedMean:
    """The bootstrap distribution of a studentised mean.

    Attributes:
        mean: Of the differences.
        error: Its standard error.
        deviations: (resampled mean - mean) / resampled error, sorted, shape (draws,).
    """

    mean: float
    error: float
    deviations: NDArray[np.float64]

    def harm_p(self) -> float:
        """One-sided p value of a mean of 0 or more."""
        return self._share_at_most(self.mean / self.error)

    def certify_p(self, *, margin: float) -> float:
        """One-sided p value of a mean at or below -margin."""
        reach = (self.mean + margin) / self.error
        n_high = self.deviations.size - int(np.searchsorted(self.deviations, reach, side="left"))
        return (1 + n_high) / (1 + self.deviations.size)

    def interval(self, *, level: float = 0.95) -> tuple[float, float]:
        """Two-sided interval for the mean; its arms may differ in length."""
        check_level(level)
        low, high = np.quantile(self.deviations, [(1 - level) / 2, (1 + level) / 2])
        return self.mean - float(high) * self.error, self.mean - float(low) * self.error

    def _share_at_most(self, value: float) -> float:
        n_low = int(np.searchsorted(self.deviations, value, side="right"))
        return (1 + n_low) / (1 + self.deviations.size)


def relative_skewness(differences: ArrayLike) -> float:
    """Skewness over the root of n: how far the mean's distribution is from its normal limit. 0 without variance.

    Example:
        >>> relative_skewness([-1.0, 0.0, 1.0])
        0.0
    """
    array = finite_differences(differences)
    centred = array - exact_mean(array)
    spread = math.sqrt(math.fsum((centred**2).tolist()) / array.size)
    if spread <= RELATIVE_ZERO * float(np.abs(array).max()):
        return 0.0
    return math.fsum((centred**3).tolist()) / array.size / spread**3 / math.sqrt(array.size)


def is_skewed(differences: ArrayLike) -> bool:
    """Whether t should not be trusted with these differences."""
    return abs(relative_skewness(differences)) > SKEW_LIMIT


def studentised_mean(
    differences: ArrayLike, *, draws: int = DRAWS, rng: np.random.Generator | None = None
) -> StudentisedMean | None:
    """The bootstrap of the studentised mean; None where the sample has no variance.

    Args:
        differences: Candidate minus baseline, shape (n,); their order does not matter.
        draws: Resamples; ones without variance are left out.
        rng: Their source; None takes one fixed by the differences themselves.

    Raises:
        UsageError: If there are fewer than two differences.

    Source: Efron and Tibshirani 1993, the bootstrap-t.
    """
    array = np.sort(finite_differences(differences))
    if array.size < 2:
        raise UsageError(f"A bootstrap needs two differences, got {array.size}.")
    mean, error = exact_mean(array), float(array.std(ddof=1)) / math.sqrt(array.size)
    if error * math.sqrt(array.size) <= RELATIVE_ZERO * float(np.abs(array).max()):
        return None
    own = rng if rng is not None else _own_generator(array)
    parts, left = [], draws
    while left:
        size = min(left, max(1, _AT_ONCE // array.size))
        picked = array[(own.random((size, array.size)) * array.size).astype(np.intp)]
        means, errors = picked.mean(axis=1), picked.std(axis=1, ddof=1) / math.sqrt(array.size)
        is_able = errors > RELATIVE_ZERO * error
        parts.append((means[is_able] - mean) / errors[is_able])
        left -= size
    return StudentisedMean(mean, error, np.sort(np.concatenate(parts)))


def _own_generator(array: NDArray[np.float64]) -> np.random.Generator:
    entropy = int.from_bytes(hashlib.sha256(array.tobytes()).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
