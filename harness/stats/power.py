"""What a suite of this size can and cannot decide, before anything is compared.

The share of discordant pairs must come from past gates or from seed siblings, never from the comparison
being judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtri

from harness.core.errors import UsageError
from harness.stats.binary import mcnemar_harm_p, tango_certify_p

UNKNOWN_DISCORDANCE = (0.10, 0.20)
"""Both are shown where no past run says how often two runs differ."""


@dataclass(frozen=True, slots=True)
class DetectableEffect:
    """The smallest loss found with the stated power at one discordance; None where no loss would be."""

    discordance: float
    effect: float | None


@dataclass(frozen=True, slots=True)
class Decidability:
    """Whether a rule on 0-1 scores could ever come out each way.

    Attributes:
        can_fail: The worst outcome would be significant and beyond the margin.
        can_pass: The best outcome would be certified.
        passes_unchanged: As many pairs won as lost would be certified.
        reason: One sentence where any of them is false, else "".
    """

    can_fail: bool
    can_pass: bool
    passes_unchanged: bool
    reason: str


def n_to_detect(effect: float, *, discordance: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Independent pairs needed to find a loss of `effect` with a one-sided paired test.

    Args:
        effect: Size of the loss, in (0, discordance].
        discordance: Share of pairs on which the runs differ, in (0, 1].
        alpha: One-sided level.
        power: Chance of finding it.

    Example:
        >>> n_to_detect(0.05, discordance=0.10)
        246

    Source: Connor 1987.
    """
    _check_share("discordance", discordance)
    if not 0 < effect <= discordance:
        raise UsageError(f"A loss of {effect} needs a discordance of at least as much, got {discordance}.")
    return math.ceil(_connor_pairs(effect, discordance, alpha, power))


def minimum_detectable_effect(
    n_pairs: float, *, discordance: float, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Smallest loss of 0-1 scores that `n_pairs` independent pairs find with the stated power.

    Args:
        n_pairs: Independent pairs, > 0; pairs over the design effect where clustered.
        discordance: Share of pairs on which the runs differ, in (0, 1].
        alpha: One-sided level.
        power: Chance of finding it.

    Returns:
        A share in (0, discordance], or None where even losing every discordant pair would go unnoticed.

    Example:
        >>> round(minimum_detectable_effect(200, discordance=0.10), 3)
        0.055

    Source: Connor 1987; Card et al. 2020.
    """
    _check_share("discordance", discordance)
    if not n_pairs > 0:
        raise UsageError(f"A suite needs pairs to detect anything, got {n_pairs}.")

    def shortfall(effect: float) -> float:
        return _connor_pairs(effect, discordance, alpha, power) - n_pairs

    if shortfall(discordance) > 0:
        return None
    smallest = discordance * 1e-9
    return float(brentq(shortfall, smallest, discordance)) if shortfall(smallest) > 0 else smallest


def detectable_effects(
    n_pairs: float, *, discordance: float | None = None, alpha: float = 0.05, power: float = 0.8
) -> tuple[DetectableEffect, ...]:
    """The minimum detectable effect at a known discordance, or at .10 and .20 where it is not known.

    Example:
        >>> [(found.discordance, round(found.effect, 3)) for found in detectable_effects(1000)]
        [(0.1, 0.025), (0.2, 0.035)]
    """
    shares = UNKNOWN_DISCORDANCE if discordance is None else (discordance,)
    return tuple(
        DetectableEffect(
            share, minimum_detectable_effect(n_pairs, discordance=share, alpha=alpha, power=power)
        )
        for share in shares
    )


def minimum_detectable_mean(
    n_units: float, *, standard_deviation: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Smallest loss in a mean that `n_units` independent differences find; normal approximation.

    Example:
        >>> round(minimum_detectable_mean(619, standard_deviation=0.2), 3)
        0.02
    """
    if not (n_units > 0 and standard_deviation >= 0):
        raise UsageError(f"Need units and a spread of at least 0, got {n_units} and {standard_deviation}.")
    return _quantiles(alpha, power) * standard_deviation / math.sqrt(n_units)


def n_to_certify(margin: float, *, discordance: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Independent pairs needed to certify an unchanged model at a margin with the stated power.

    Example:
        >>> n_to_certify(0.02, discordance=0.04)
        619
    """
    _check_share("discordance", discordance)
    _check_share("margin", margin)
    return math.ceil(discordance * (_quantiles(alpha, power) / margin) ** 2)


def can_decide(
    n_pairs: int,
    *,
    margin: float,
    discordance: float | None = None,
    alpha: float = 0.05,
    is_clustered: bool = False,
) -> Decidability:
    """Could a rule on `n_pairs` independent 0-1 pairs fail, or pass, at any outcome?

    Failing means significant harm and an effect below -margin; passing means certified at the margin.

    Args:
        n_pairs: Independent pairs, >= 1; source items where variants are clustered.
        margin: Largest loss still acceptable, in [0, 1).
        discordance: Outcomes with at most this share of discordant pairs are considered; all if None.
        alpha: One-sided level of both tests.
        is_clustered: The units are source items with several variants: harm is tested by sign-flip.

    Example:
        >>> can_decide(3, margin=0.05).can_fail
        False
        >>> can_decide(40, margin=0.05).reason
        'A rule on 40 pairs at a margin of 0.05 cannot pass an unchanged model.'
    """
    if n_pairs < 1:
        raise UsageError(f"A rule needs at least one pair, got {n_pairs}.")
    if discordance is not None:
        _check_share("discordance", discordance)
    most = n_pairs if discordance is None else math.ceil(n_pairs * discordance)
    harm_p = 0.5**most if is_clustered else mcnemar_harm_p(right_to_wrong=most, wrong_to_right=0)
    can_fail = harm_p <= alpha and most / n_pairs > margin
    can_pass = _certify_p(0.0, float(most), n_pairs, margin) <= alpha
    balanced = 0.0 if discordance is None else n_pairs * discordance / 2
    passes_unchanged = _certify_p(balanced, balanced, n_pairs, margin) <= alpha
    faults = []
    if not can_fail:
        faults.append("can never fail")
    if not can_pass:
        faults.append("can never pass")
    elif not passes_unchanged:
        faults.append("cannot pass an unchanged model")
    reason = f"A rule on {n_pairs} pairs at a margin of {margin:g} {' and '.join(faults)}." if faults else ""
    return Decidability(can_fail, can_pass, passes_unchanged, reason)


def _certify_p(lost: float, won: float, n_pairs: int, margin: float) -> float:
    return tango_certify_p(right_to_wrong=lost, wrong_to_right=won, n_pairs=n_pairs, margin=margin)


def _connor_pairs(effect: float, discordance: float, alpha: float, power: float) -> float:
    z_alpha, z_power = _normal_quantile(1 - alpha), _normal_quantile(power)
    reach = z_alpha * math.sqrt(discordance) + z_power * math.sqrt(max(discordance - effect**2, 0.0))
    return (reach / effect) ** 2


def _quantiles(alpha: float, power: float) -> float:
    return _normal_quantile(1 - alpha) + _normal_quantile(power)


def _normal_quantile(share: float) -> float:
    if not 0.5 <= share < 1:
        raise UsageError(f"alpha must lie in (0, 0.5] and power in [0.5, 1); got a quantile at {share}.")
    return float(ndtri(share))


def _check_share(name: str, share: float) -> None:
    if not 0 < share <= 1:
        raise UsageError(f"The {name} must be a share in (0, 1], got {share}.")
