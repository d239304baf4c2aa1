"""The rules compared, on counts of simulated pairs; each distinct outcome is judged once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from harness.stats.binary import mcnemar_harm_p, tango_certify_p

ALPHA = 0.05
TOLERANCE = 0.02
_BOOTSTRAPS = 1000
_SURE = 1e-9  # so that a drop of exactly the tolerance is not beyond it by rounding

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Simulated suites of independent 0-1 pairs.

    Args:
        n: Pairs of each.
        lost: Pairs the candidate lost, shape (suites,).
        won: Pairs it won.
        both: Pairs both have right.
    """

    n: int
    lost: NDArray[np.int64]
    won: NDArray[np.int64]
    both: NDArray[np.int64]

    @property
    def effect(self) -> NDArray[np.float64]:
        """Candidate minus baseline."""
        return np.asarray((self.won - self.lost) / self.n)


def drawn(
    rng: np.random.Generator,
    n_suites: int,
    *,
    n: int,
    discordance: float,
    effect: float,
    accuracy: float = 0.7,
) -> Outcomes:
    """Suites whose pairs differ with chance `discordance`, by `effect` on average."""
    lost, won, _ = rng.multinomial(
        n, [(discordance - effect) / 2, (discordance + effect) / 2, 1 - discordance], size=n_suites
    ).T
    return Outcomes(n, lost, won, rng.binomial(n - lost - won, accuracy))


def by_outcome(outcomes: Outcomes, judged: Callable[[int, int], float]) -> NDArray[np.float64]:
    """A function of (lost, won), called once for each pair of counts that occurs."""
    pairs, where = np.unique(np.stack([outcomes.lost, outcomes.won]), axis=1, return_inverse=True)
    found = np.array([judged(int(lost), int(won)) for lost, won in pairs.T])
    return np.asarray(found[where.reshape(-1)])


def harm_p(outcomes: Outcomes) -> NDArray[np.float64]:
    """Our p value of "not worse"."""
    return by_outcome(outcomes, lambda lost, won: mcnemar_harm_p(right_to_wrong=lost, wrong_to_right=won))


def certify_p(outcomes: Outcomes, *, margin: float) -> NDArray[np.float64]:
    """Our p value of "worse by the margin or more"."""
    return by_outcome(
        outcomes,
        lambda lost, won: tango_certify_p(
            right_to_wrong=lost, wrong_to_right=won, n_pairs=outcomes.n, margin=margin
        ),
    )


def _t_bound(outcomes: Outcomes, *, upper: bool) -> NDArray[np.float64]:
    """The one-sided 95 % bound of the paired t interval; of zero width without variance, as the formula has it."""
    n, mean = outcomes.n, outcomes.effect
    variance = ((outcomes.lost + outcomes.won) / n - mean**2) * n / (n - 1)
    reach = float(stdtrit(n - 1, 1 - ALPHA)) * np.sqrt(np.maximum(variance, 0) / n)
    return np.asarray(mean + reach if upper else mean - reach)


def _bootstrap_bound(outcomes: Outcomes, *, upper: bool) -> NDArray[np.float64]:
    """The one-sided 95 % bound of the percentile bootstrap over items."""
    n, rng = outcomes.n, np.random.default_rng(11)

    def bound(lost: int, won: int) -> float:
        counts = rng.multinomial(n, [lost / n, won / n, (n - lost - won) / n], size=_BOOTSTRAPS)
        return float(np.quantile((counts[:, 1] - counts[:, 0]) / n, 1 - ALPHA if upper else ALPHA))

    return by_outcome(outcomes, bound)


def _unpaired_z(outcomes: Outcomes) -> NDArray[np.float64]:
    n = outcomes.n
    before, after = (outcomes.both + outcomes.lost) / n, (outcomes.both + outcomes.won) / n
    error = np.sqrt((before * (1 - before) + after * (1 - after)) / n)
    return np.asarray((before - after) / np.maximum(error, 1e-12))


ALARMS: dict[str, Callable[[Outcomes], Flags]] = {
    "any drop": lambda outcomes: outcomes.effect < 0,
    "mean tolerance 2 pt": lambda outcomes: outcomes.effect < -TOLERANCE - _SURE,
    "unpaired z, one-sided": lambda outcomes: _unpaired_z(outcomes) > float(ndtri(1 - ALPHA)),
    "unpaired z, two-sided": lambda outcomes: _unpaired_z(outcomes) > float(ndtri(1 - ALPHA / 2)),
    "paired t": lambda outcomes: _t_bound(outcomes, upper=True) < 0,
    "percentile bootstrap": lambda outcomes: _bootstrap_bound(outcomes, upper=True) < 0,
    "ours": lambda outcomes: harm_p(outcomes) <= ALPHA,
}
"""Whether a rule says "worse"."""

CERTIFICATES: dict[str, Callable[[Outcomes, float], Flags]] = {
    "paired t": lambda outcomes, margin: _t_bound(outcomes, upper=False) > -margin,
    "percentile bootstrap": lambda outcomes, margin: _bootstrap_bound(outcomes, upper=False) > -margin,
    "ours": lambda outcomes, margin: certify_p(outcomes, margin=margin) <= ALPHA,
}
"""Whether a rule says "not worse by the margin"."""
