"""Tables of one rule on one suite: false alarms, power, false certificates."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.gate_work.rules import ALARMS, ALPHA, CERTIFICATES, drawn
from harness.stats.cluster import clustered_binary_certify_p
from harness.stats.mean import t_certify_p

DISCORDANCE = 0.10
ALARM_CELLS = (
    (50, 0.0), (100, 0.0), (200, 0.0), (500, 0.0), (1000, 0.0), (200, -0.05), (500, -0.03), (1000, -0.02),
)  # fmt: skip
# Margin, discordance, pairs: as in the literature review; then around them.
MARGIN_CELLS = (
    (0.02, 0.02, 50), (0.02, 0.02, 100), (0.02, 0.05, 50), (0.05, 0.06, 50), (0.02, 0.10, 200),
    (0.02, 0.02, 200), (0.02, 0.05, 200), (0.02, 0.10, 1000), (0.05, 0.10, 100), (0.05, 0.20, 500),
)  # fmt: skip
# Source items, margin, discordance, how often a variant flips as its source does; five variants each.
CLUSTER_CELLS = tuple(
    (n_items, margin, discordance, together)
    for n_items in (40, 60, 100)
    for margin, discordance in ((0.02, 0.02), (0.05, 0.10))
    for together in (0.5, 1.0)
)
VARIANTS = 5


def alarm_table(rng: np.random.Generator, n_suites: int) -> list[dict[str, Any]]:
    """How often each rule says "worse", with and without a real loss."""
    rows = []
    for n, effect in ALARM_CELLS:
        outcomes = drawn(rng, n_suites, n=n, discordance=DISCORDANCE, effect=effect)
        rates = {name: float(rule(outcomes).mean()) for name, rule in ALARMS.items()}
        rows.append({"n": n, "discordance": DISCORDANCE, "effect": effect, "rates": rates})
    return rows


def power_of(rows: list[dict[str, Any]], *, n: int, effect: float) -> float:
    """Our power in one cell."""
    return next(float(row["rates"]["ours"]) for row in rows if (row["n"], row["effect"]) == (n, effect))


def best_among_level_keepers(rows: list[dict[str, Any]], *, n_suites: int) -> dict[str, Any]:
    """Which rules keep the level in every cell without a loss, and who of them finds most at -5 points and 200."""
    allowed = ALPHA + 3 * float(np.sqrt(ALPHA * (1 - ALPHA) / n_suites))
    unchanged = [row["rates"] for row in rows if row["effect"] == 0]
    keepers = [name for name in ALARMS if all(rates[name] <= allowed for rates in unchanged)]
    found = next(row["rates"] for row in rows if (row["n"], row["effect"]) == (200, -0.05))
    return {"allowed": allowed, "keep_the_level": {name: found[name] for name in keepers}}


def certificate_table(rng: np.random.Generator, n_suites: int) -> list[dict[str, Any]]:
    """How often each rule certifies a model that is worse by exactly the margin."""
    rows = []
    for margin, discordance, n in MARGIN_CELLS:
        outcomes = drawn(rng, n_suites, n=n, discordance=discordance, effect=-margin)
        rates = {name: float(rule(outcomes, margin).mean()) for name, rule in CERTIFICATES.items()}
        rows.append({"margin": margin, "discordance": discordance, "n": n, "rates": rates})
    return rows


def clustered_table(rng: np.random.Generator, n_suites: int) -> list[dict[str, Any]]:
    """The same with five variants a source item: t on cluster means alone, and our rule of both."""
    rows = []
    for n_items, margin, discordance, together in CLUSTER_CELLS:
        codes = np.repeat(np.arange(n_items), VARIANTS)
        n_ours = n_t = 0
        for _ in range(n_suites):
            values = flips(rng, codes, discordance=discordance, effect=-margin, together=together)
            means = values.reshape(n_items, VARIANTS).mean(axis=1)
            by_t = t_certify_p(means, margin=margin)
            n_t += means.mean() > -margin if by_t is None else by_t <= ALPHA
            n_ours += clustered_binary_certify_p(values, codes, margin=margin) <= ALPHA
        rows.append(
            {
                "source_items": n_items, "variants": VARIANTS, "margin": margin, "discordance": discordance,
                "together": together,
                "rates": {"t on cluster means": n_t / n_suites, "ours": n_ours / n_suites},
            }
        )  # fmt: skip
    return rows


def flips(
    rng: np.random.Generator, codes: np.ndarray, *, discordance: float, effect: float, together: float
) -> np.ndarray:
    """Differences of clustered 0-1 pairs; with chance `together` a variant flips as its source does."""
    shares = [(discordance - effect) / 2, 1 - discordance, (discordance + effect) / 2]
    source = rng.choice([-1.0, 0.0, 1.0], size=int(codes.max()) + 1, p=shares)[codes]
    own = rng.choice([-1.0, 0.0, 1.0], size=codes.size, p=shares)
    return np.asarray(np.where(rng.random(codes.size) < together, source, own))
