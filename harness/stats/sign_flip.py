"""Sign-flip permutation of paired differences: exact where the sample is too small or sparse for t."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import UsageError
from harness.stats.mean import RELATIVE_ZERO, finite_differences

EXACT_SIGN_FLIP_LIMIT = 30
"""Up to this many non-zero differences every sign pattern is counted (as two halves of 2^15)."""


def sign_flip_harm_p(
    differences: ArrayLike, *, draws: int = 20_000, rng: np.random.Generator | None = None
) -> float:
    """Sign-flip permutation test that the differences lean below zero.

    If the runs are exchangeable each difference is as likely to have the other sign. Zeros drop out, so
    pairs that agree never change the answer. Counted exactly up to `EXACT_SIGN_FLIP_LIMIT` non-zero
    differences; beyond that `draws` random sign patterns from `rng`, the observed one included.

    Args:
        differences: Candidate minus baseline, shape (n,).
        draws: Random patterns beyond the exact limit.
        rng: Their source; needed only beyond the exact limit.

    Returns:
        Share of sign patterns with a sum as low as the observed one; 1.0 if nothing differs.

    Raises:
        UsageError: Beyond the exact limit without `rng`.

    Example:
        >>> sign_flip_harm_p([-1.0, -2.0, -3.0, 0.0])
        0.125
    """
    array = finite_differences(differences)
    changed = np.sort(array[array != 0])
    if changed.size == 0:
        return 1.0
    observed = math.fsum(changed.tolist())
    ceiling = observed + RELATIVE_ZERO * float(np.abs(changed).sum())
    if changed.size <= EXACT_SIGN_FLIP_LIMIT:
        return _exact_share_below(np.abs(changed), ceiling)
    if rng is None:
        raise UsageError(
            f"A sign-flip test on {changed.size} non-zero differences draws at random beyond "
            f"{EXACT_SIGN_FLIP_LIMIT}; pass rng, or use the t test."
        )
    n_low = 0
    for _ in range(draws):
        signs = np.where(rng.random(changed.size) < 0.5, -1.0, 1.0)
        n_low += bool(float(signs @ changed) <= ceiling)
    return (1 + n_low) / (1 + draws)


def sign_flip_certify_p(differences: ArrayLike, *, margin: float) -> float:
    """Sign-flip test of non-inferiority, exact: small says the centre lies above -margin.

    It supposes differences symmetric about their centre, so it is not for samples that are mostly zero.
    More than `EXACT_SIGN_FLIP_LIMIT` differences raise `UsageError`.

    Example:
        >>> sign_flip_certify_p([0.1, 0.2, 0.3], margin=0.05)
        0.125
    """
    return sign_flip_harm_p(-(finite_differences(differences) + margin))


def _exact_share_below(sizes: NDArray[np.float64], ceiling: float) -> float:
    """Share of sign patterns with a sum at or below `ceiling`, counted by meeting in the middle."""
    half = sizes.size // 2
    left, right = np.sort(_signed_sums(sizes[:half])), _signed_sums(sizes[half:])
    n_low = int(np.searchsorted(left, ceiling - right, side="right").sum())
    return float(n_low / 2**sizes.size)


def _signed_sums(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums  # (2 ** len(sizes),)
