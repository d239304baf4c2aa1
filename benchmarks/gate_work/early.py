"""Tables of early stopping: items used, verdicts, and how often the verdict is that of all items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_work.rules import ALPHA, Outcomes, certify_p, harm_p
from harness.stats.betting import betting_path
from harness.stats.sequential import equal_looks, spending_bounds, z_of

N, DISCORDANCE, MARGIN, LOOKS = 1000, 0.10, 0.02, 5
EFFECTS = (0.0, -0.02, -0.04, -0.05, -0.08, -0.10)
BRAKE_SHARE = 0.2
_BOUNDS = (-1.0, 1.0)


def drawn_streams(rng: np.random.Generator, n_suites: int, *, effect: float) -> NDArray[np.float64]:
    """Differences in the order they come, shape (suites, N)."""
    shares = [(DISCORDANCE - effect) / 2, 1 - DISCORDANCE, (DISCORDANCE + effect) / 2]
    return np.asarray(rng.choice([-1.0, 0.0, 1.0], size=(n_suites, N), p=shares))


def early_table(rng: np.random.Generator, n_suites: int) -> list[dict[str, Any]]:
    """One row per effect and reading."""
    rows = []
    for effect in EFFECTS:
        streams = drawn_streams(rng, n_suites, effect=effect)
        for name, judged in (("suite", suite_reading), ("population", population_reading)):
            fails, passes, used, agrees = judged(streams)
            rows.append(
                {
                    "reading": name, "effect": effect, "fail": float(fails.mean()), "pass": float(passes.mean()),
                    "fraction": float(used.mean()), "fraction_p90": float(np.quantile(used, 0.9)),
                    "agrees_with_all_items": float(agrees.mean()),
                }
            )  # fmt: skip
    return rows


def suite_reading(streams: NDArray[np.float64]) -> tuple[NDArray[Any], ...]:
    """The suite is the specification: bets without replacement on which side of the margin all items' mean lies."""
    limit = np.log(1 / ALPHA)
    harm = betting_path(-streams, mean=MARGIN, bounds=_BOUNDS, total=N) >= limit
    certified = betting_path(streams, mean=-MARGIN, bounds=_BOUNDS, total=N) >= limit
    n_harm, n_certified = _first(harm), _first(certified)
    fails, passes = n_harm < n_certified, n_certified < n_harm
    used = np.minimum(np.minimum(n_harm, n_certified) + 1, N) / N
    is_bad = streams.mean(axis=1) < -MARGIN
    return fails, passes, used, np.where(is_bad, fails, passes)


def population_reading(streams: NDArray[np.float64]) -> tuple[NDArray[Any], ...]:
    """The suite is a sample: five looks, and a brake on catastrophes with a fifth of harm's level."""
    harm_bounds = spending_bounds(equal_looks(LOOKS), alpha=(1 - BRAKE_SHARE) * ALPHA)
    certify_bounds = spending_bounds(equal_looks(LOOKS), alpha=ALPHA)
    n_suites = len(streams)
    fails, passes = np.zeros(n_suites, dtype=bool), np.zeros(n_suites, dtype=bool)
    used = np.full(n_suites, N)
    brake = _first(betting_path(-streams, mean=MARGIN, bounds=_BOUNDS) >= np.log(1 / (BRAKE_SHARE * ALPHA)))
    for look, (harm_bound, certify_bound) in enumerate(
        zip(harm_bounds, certify_bounds, strict=True), start=1
    ):
        n = N * look // LOOKS
        outcomes = _outcomes(streams[:, :n])
        is_open = ~fails & ~passes
        braked = is_open & (brake < n)
        used[braked] = brake[braked] + 1
        fails |= braked
        is_open &= ~braked
        harm = (np.array([z_of(p) for p in harm_p(outcomes)]) >= harm_bound) & (outcomes.effect < -MARGIN)
        certified = np.array([z_of(p) for p in certify_p(outcomes, margin=MARGIN)]) >= certify_bound
        used[is_open & (harm | certified)] = n
        fails |= is_open & harm
        passes |= is_open & certified & ~harm
    everything = _outcomes(streams)
    full_fails = (harm_p(everything) <= ALPHA) & (everything.effect < -MARGIN)
    full_passes = certify_p(everything, margin=MARGIN) <= ALPHA
    return fails, passes, used / N, (fails == full_fails) & (passes == (full_passes & ~full_fails))


def _outcomes(streams: NDArray[np.float64]) -> Outcomes:
    lost, won = (streams < 0).sum(axis=1), (streams > 0).sum(axis=1)
    return Outcomes(streams.shape[1], lost, won, np.zeros_like(lost))


def _first(is_reached: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Index of the first hit of each row; beyond the last where there is none."""
    return np.where(is_reached.any(axis=1), is_reached.argmax(axis=1), is_reached.shape[1])
