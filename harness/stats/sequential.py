"""Looking at results before all are in, at planned looks, without more false alarms than one look at the end.

The level is spent over the looks by O'Brien and Fleming's rule in the form of Lan and DeMets: next to nothing early,
almost all at the end, so that the last look is nearly as good as a plan without looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from harness.core.errors import UsageError

LARGEST_ALPHA = 0.5
"""A sequential p value above this is given as 1: no level beyond it is ever used."""

_SMALLEST_ALPHA = 1e-9
_GRID = 240  # points of Gauss-Legendre quadrature a look; bounds are exact to 1e-6
_FAR = 8.5  # standard deviations beyond which no probability is left to speak of


def spent_alpha(share: float, *, alpha: float = 0.05) -> float:
    """How much of a one-sided level may be spent once a share of the information is in.

    Example:
        >>> round(spent_alpha(0.25), 6), round(spent_alpha(1.0), 6)
        (8.9e-05, 0.05)

    Source: Lan and DeMets 1983, the spending function of O'Brien-Fleming type.
    """
    _check_alpha(alpha)
    if not 0 < share <= 1:
        raise UsageError(f"A share of the information lies in (0, 1], got {share}.")
    return float(2 * ndtr(ndtri(alpha / 2) / math.sqrt(share)))


def equal_looks(n_looks: int) -> tuple[float, ...]:
    """Shares of the information at equally spaced looks.

    Example:
        >>> equal_looks(4)
        (0.25, 0.5, 0.75, 1.0)
    """
    if n_looks < 1:
        raise UsageError(f"There is at least one look, the last; got {n_looks}.")
    return tuple((look + 1) / n_looks for look in range(n_looks))


def spending_bounds(shares: Sequence[float], *, alpha: float = 0.05) -> tuple[float, ...]:
    """Critical z values of a one-sided test at each look.

    Args:
        shares: Share of the information at each look, rising, the last at most 1.
        alpha: One-sided level of all looks together, at most .5.

    Returns:
        One bound a look: the test rejects at the first look whose z reaches it.

    Example:
        >>> [round(bound, 3) for bound in spending_bounds(equal_looks(4))]
        [3.75, 2.54, 2.016, 1.72]

    Source: Lan and DeMets 1983; the recursion is Armitage, McPherson and Rowe 1969.
    """
    _check_alpha(alpha)
    _check_shares(shares)
    return _bounds(tuple(float(share) for share in shares), float(alpha))


def sequential_p(z_values: Sequence[float], shares: Sequence[float]) -> float:
    """The smallest level at which some look so far would have rejected; 1 beyond `LARGEST_ALPHA`.

    A p value like any other: Holm over several rules may follow. It never rises from look to look, so a rule once
    rejected stays rejected.

    Args:
        z_values: The statistic at each look so far; large speaks against the hypothesis.
        shares: Share of the information at each of all planned looks; at least as many.

    Example:
        >>> round(sequential_p([0.0, 2.54], equal_looks(4)), 3), sequential_p([0.0], equal_looks(4))
        (0.05, 1.0)
    """
    _check_shares(shares)
    if not 1 <= len(z_values) <= len(shares):
        raise UsageError(
            f"{len(z_values)} looks were made of {len(shares)} planned; make at least the first."
        )
    planned = tuple(float(share) for share in shares)

    def excess(log_alpha: float) -> float:
        bounds = _bounds(planned[: len(z_values)], math.exp(log_alpha))
        return max(z - bound for z, bound in zip(z_values, bounds, strict=True))

    top, bottom = math.log(LARGEST_ALPHA), math.log(_SMALLEST_ALPHA)
    if excess(top) < 0:
        return 1.0
    if excess(bottom) >= 0:
        return _SMALLEST_ALPHA
    return math.exp(float(brentq(excess, bottom, top, xtol=1e-9)))


def z_of(p_value: float) -> float:
    """The standard normal value with this upper tail, within +-12 so that sums and bounds stay finite.

    Example:
        >>> round(z_of(0.05), 3), z_of(0.0)
        (1.645, 12.0)
    """
    if not 0 <= p_value <= 1:
        raise UsageError(f"A p value lies in [0, 1], got {p_value}.")
    return float(np.clip(-ndtri(p_value), -12.0, 12.0))


@lru_cache(maxsize=4096)
def _bounds(shares: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """The bounds one after the other; the path's density is carried from look to look on the Brownian scale."""
    bounds: list[float] = []
    spent, before = 0.0, 0.0
    points, weights = np.zeros(1), np.ones(1)  # all mass at 0 before the first look
    for share in shares:
        due, step, top = spent_alpha(share, alpha=alpha), math.sqrt(share - before), _FAR * math.sqrt(share)
        bound = _crossed_with(due - spent, points, weights, step=step, top=top)
        bounds.append(bound / math.sqrt(share))
        nodes, sizes = _legendre(-top, bound)
        density = np.exp(-0.5 * ((nodes[:, None] - points[None, :]) / step) ** 2) / (
            step * math.sqrt(2 * math.pi)
        )
        points, weights = nodes, sizes * (density @ weights)
        spent, before = due, share
    return tuple(bounds)


def _crossed_with(
    probability: float, points: np.ndarray, weights: np.ndarray, *, step: float, top: float
) -> float:
    """The bound that a path starting at weighted points exceeds with a probability after one step."""

    def excess(bound: float) -> float:
        return float(weights @ ndtr((points - bound) / step)) - probability

    # So little may be spent at an early look that nothing on the grid is rare enough: then nothing is rejected.
    return top if excess(top) >= 0 else float(brentq(excess, -top, top, xtol=1e-11))


def _legendre(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    nodes, sizes = _unit_legendre()
    half = (high - low) / 2
    return (low + high) / 2 + half * nodes, half * sizes


@lru_cache(maxsize=1)
def _unit_legendre() -> tuple[np.ndarray, np.ndarray]:
    nodes, sizes = np.polynomial.legendre.leggauss(_GRID)
    return nodes, sizes


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha <= LARGEST_ALPHA:
        raise UsageError(f"A one-sided level lies in (0, {LARGEST_ALPHA}], got {alpha}.")


def _check_shares(shares: Sequence[float]) -> None:
    rising = all(before < after for before, after in zip(shares, shares[1:], strict=False))
    if not shares or not rising or not 0 < shares[0] or shares[-1] > 1 + 1e-12:
        raise UsageError(f"Looks are rising shares in (0, 1], such as (0.25, 0.5, 1); got {tuple(shares)}.")
