"""Error rates and coverage of the paired comparison, measured on simulated suites.

Every rate is compared with its nominal level plus three binomial standard errors. Run with
`pytest tests/calibration -m calibration -s` to see the measured figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pytest

from harness.stats.corpus import corpus_effect, generator_from_digest
from harness.stats.paired import PairedEffect, paired_effect

ALPHA = 0.05
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Differences:
    """One simulated suite: differences of shape (n,), their source items, and the kind of score."""

    values: np.ndarray
    clusters: np.ndarray
    is_binary: bool


Simulation = Callable[[np.random.Generator], Differences]


def independent_flips(n_pairs: int, *, discordance: float, effect: float) -> Simulation:
    """0-1 scores of independent items; `effect` is won minus lost share."""
    shares = [(discordance - effect) / 2, 1 - discordance, (discordance + effect) / 2]

    def draw(rng: np.random.Generator) -> Differences:
        return Differences(rng.choice([-1.0, 0.0, 1.0], size=n_pairs, p=shares), np.arange(n_pairs), True)

    return draw


def clustered_flips(
    n_clusters: int, *, size: int, discordance: float, effect: float, together: float
) -> Simulation:
    """0-1 scores of `size` variants a source; with chance `together` a variant flips as its source does."""
    shares = [(discordance - effect) / 2, 1 - discordance, (discordance + effect) / 2]

    def draw(rng: np.random.Generator) -> Differences:
        codes = np.repeat(np.arange(n_clusters), size)
        source = rng.choice([-1.0, 0.0, 1.0], size=n_clusters, p=shares)[codes]
        own = rng.choice([-1.0, 0.0, 1.0], size=codes.size, p=shares)
        values = np.where(rng.random(codes.size) < together, source, own)
        return Differences(values, codes, True)

    return draw


def whole_and_single_losses(n_clusters: int, *, size: int, whole: float, noise: float) -> Simulation:
    """A share `whole` of the sources lose every variant; the others flip singly, evenly both ways."""

    def draw(rng: np.random.Generator) -> Differences:
        codes = np.repeat(np.arange(n_clusters), size)
        is_lost = (rng.random(n_clusters) < whole)[codes]
        own = rng.choice([-1.0, 0.0, 1.0], size=codes.size, p=[noise / 2, 1 - noise, noise / 2])
        return Differences(np.where(is_lost, -1.0, own), codes, True)

    return draw


def graded(n_clusters: int, *, size: int, changed: float, effect: float) -> Simulation:
    """Scores in [0, 1]: a share `changed` of the sources moves by a symmetric amount around its mean."""

    def draw(rng: np.random.Generator) -> Differences:
        codes = np.repeat(np.arange(n_clusters), size)
        is_changed = rng.random(n_clusters) < changed
        moved = np.where(is_changed, effect / changed + rng.uniform(-0.4, 0.4, n_clusters), 0.0)[codes]
        spread = rng.uniform(-0.1, 0.1, codes.size) * is_changed[codes]
        return Differences(moved + spread * (size > 1), codes, False)

    return draw


def compared(sample: Differences, *, margin: float | None = None) -> PairedEffect:
    """Both runs' scores are made up so that only their difference matters."""
    if sample.is_binary:
        return paired_effect(
            (sample.values < 0).astype(float),
            (sample.values > 0).astype(float),
            sample.clusters,
            binary=True,
            bounds=(0.0, 1.0),
            level=LEVEL,
            margin=margin,
        )
    return paired_effect(
        0.5 - sample.values / 2,
        0.5 + sample.values / 2,
        sample.clusters,
        binary=False,
        bounds=(0.0, 1.0),
        level=LEVEL,
        margin=margin,
    )


def allowed(rate: float, n_draws: int) -> float:
    return rate + 3 * math.sqrt(rate * (1 - rate) / n_draws)


def share(name: str, n_draws: int, events: Iterable[bool]) -> float:
    found = sum(events) / n_draws
    print(f"{name}: {found:.4f} of {n_draws}")
    return found


def false_alarms(name: str, simulation: Simulation, *, n_draws: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return share(
        f"false alarm, {name}",
        n_draws,
        (compared(simulation(rng)).harm_p <= ALPHA for _ in range(n_draws)),
    )


def false_certificates(name: str, simulation: Simulation, *, margin: float, n_draws: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return share(
        f"false certificate, {name}",
        n_draws,
        (compared(simulation(rng), margin=margin).certify_p <= ALPHA for _ in range(n_draws)),
    )


def coverage(name: str, simulation: Simulation, *, effect: float, n_draws: int, seed: int) -> float:
    rng = np.random.default_rng(seed)

    def covers() -> Iterable[bool]:
        for _ in range(n_draws):
            found = compared(simulation(rng))
            yield found.low <= effect <= found.high

    return share(f"coverage, {name}", n_draws, covers())


@pytest.mark.slow
def test_a_small_sample_of_unchanged_models_raises_few_false_alarms() -> None:
    simulation = independent_flips(200, discordance=0.10, effect=0.0)
    assert false_alarms("n=200", simulation, n_draws=600, seed=1) <= allowed(ALPHA, 600)
    simulation = clustered_flips(40, size=5, discordance=0.10, effect=0.0, together=0.7)
    assert false_alarms("G=40 x 5", simulation, n_draws=600, seed=2) <= allowed(ALPHA, 600)


@pytest.mark.slow
def test_a_small_sample_of_models_at_the_margin_gets_few_certificates() -> None:
    simulation = independent_flips(100, discordance=0.02, effect=-0.02)
    found = false_certificates("n=100", simulation, margin=0.02, n_draws=600, seed=3)
    assert found <= allowed(ALPHA, 600)
    simulation = clustered_flips(60, size=5, discordance=0.02, effect=-0.02, together=1.0)
    found = false_certificates("G=60 x 5", simulation, margin=0.02, n_draws=600, seed=4)
    assert found <= allowed(ALPHA, 600)


@pytest.mark.calibration
@pytest.mark.parametrize("n_pairs", [50, 100, 200, 500, 1000])
@pytest.mark.parametrize("discordance", [0.02, 0.05, 0.10, 0.20])
def test_false_alarms_on_independent_flips(n_pairs: int, discordance: float) -> None:
    simulation = independent_flips(n_pairs, discordance=discordance, effect=0.0)
    name = f"n={n_pairs} d={discordance}"
    assert false_alarms(name, simulation, n_draws=4000, seed=10) <= allowed(ALPHA, 4000)


@pytest.mark.calibration
@pytest.mark.parametrize("n_clusters", [20, 40, 60, 100, 250])
@pytest.mark.parametrize("discordance", [0.05, 0.20])
@pytest.mark.parametrize("together", [0.0, 0.5, 0.8, 1.0])
def test_false_alarms_on_clustered_flips(n_clusters: int, discordance: float, together: float) -> None:
    simulation = clustered_flips(n_clusters, size=5, discordance=discordance, effect=0.0, together=together)
    name = f"G={n_clusters} x 5 d={discordance} together={together}"
    assert false_alarms(name, simulation, n_draws=2000, seed=11) <= allowed(ALPHA, 2000)


@pytest.mark.calibration
@pytest.mark.parametrize(("n_clusters", "size"), [(20, 1), (50, 1), (200, 1), (40, 5), (100, 5)])
@pytest.mark.parametrize("changed", [0.05, 0.3, 1.0])
def test_false_alarms_on_graded_scores(n_clusters: int, size: int, changed: float) -> None:
    simulation = graded(n_clusters, size=size, changed=changed, effect=0.0)
    name = f"graded G={n_clusters} x {size} changed={changed}"
    assert false_alarms(name, simulation, n_draws=2000, seed=12) <= allowed(ALPHA, 2000)


@pytest.mark.calibration
@pytest.mark.parametrize("n_pairs", [50, 100, 200, 500, 1000])
@pytest.mark.parametrize(
    ("margin", "discordance"), [(0.02, 0.02), (0.02, 0.05), (0.02, 0.10), (0.05, 0.06), (0.05, 0.20)]
)
def test_false_certificates_on_independent_flips(n_pairs: int, margin: float, discordance: float) -> None:
    simulation = independent_flips(n_pairs, discordance=discordance, effect=-margin)
    name = f"n={n_pairs} d={discordance} margin={margin}"
    found = false_certificates(name, simulation, margin=margin, n_draws=4000, seed=13)
    assert found <= allowed(ALPHA, 4000)


@pytest.mark.calibration
@pytest.mark.parametrize("n_clusters", [40, 60, 100])
@pytest.mark.parametrize(
    ("margin", "discordance"), [(0.02, 0.02), (0.02, 0.06), (0.05, 0.05), (0.05, 0.10), (0.05, 0.20)]
)
@pytest.mark.parametrize("together", [0.0, 0.5, 0.8, 1.0])
def test_false_certificates_on_clustered_flips(
    n_clusters: int, margin: float, discordance: float, together: float
) -> None:
    simulation = clustered_flips(
        n_clusters, size=5, discordance=discordance, effect=-margin, together=together
    )
    name = f"G={n_clusters} x 5 d={discordance} margin={margin} together={together}"
    found = false_certificates(name, simulation, margin=margin, n_draws=2000, seed=14)
    assert found <= allowed(ALPHA, 2000)


@pytest.mark.calibration
@pytest.mark.parametrize("n_clusters", [40, 60, 100, 200])
@pytest.mark.parametrize("noise", [0.02, 0.05, 0.10, 0.20])
@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_rare_losses_of_whole_sources_hidden_by_single_flips_stay_under_eight_percent(
    n_clusters: int, noise: float, margin: float
) -> None:
    # The hardest case known: the sample shows the single flips and misses the whole losses, so no test from
    # the sample alone keeps .05. With the plain design effect the worst cell was .109.
    simulation = whole_and_single_losses(n_clusters, size=5, whole=margin, noise=noise)
    name = f"whole losses G={n_clusters} x 5 noise={noise} margin={margin}"
    assert false_certificates(name, simulation, margin=margin, n_draws=2000, seed=20) <= 0.08


@pytest.mark.calibration
@pytest.mark.parametrize(("n_clusters", "size"), [(20, 1), (50, 1), (100, 1), (200, 1), (60, 5)])
@pytest.mark.parametrize("changed", [0.10, 0.3, 1.0])
def test_false_certificates_on_graded_scores(n_clusters: int, size: int, changed: float) -> None:
    simulation = graded(n_clusters, size=size, changed=changed, effect=-0.02)
    name = f"graded G={n_clusters} x {size} changed={changed}"
    found = false_certificates(name, simulation, margin=0.02, n_draws=2000, seed=15)
    assert found <= allowed(ALPHA, 2000)


@pytest.mark.calibration
@pytest.mark.parametrize("n_pairs", [50, 100, 200, 500, 1000])
@pytest.mark.parametrize(("discordance", "effect"), [(0.02, 0.0), (0.10, 0.0), (0.10, -0.05), (0.2, -0.02)])
def test_coverage_on_independent_flips(n_pairs: int, discordance: float, effect: float) -> None:
    simulation = independent_flips(n_pairs, discordance=discordance, effect=effect)
    name = f"n={n_pairs} d={discordance} effect={effect}"
    found = coverage(name, simulation, effect=effect, n_draws=4000, seed=16)
    assert 1 - found <= allowed(1 - LEVEL, 4000)


@pytest.mark.calibration
@pytest.mark.parametrize("n_clusters", [20, 40, 100])
@pytest.mark.parametrize(("discordance", "effect"), [(0.05, 0.0), (0.05, -0.05), (0.20, -0.05)])
@pytest.mark.parametrize("together", [0.0, 0.7, 1.0])
def test_coverage_on_clustered_flips(
    n_clusters: int, discordance: float, effect: float, together: float
) -> None:
    simulation = clustered_flips(
        n_clusters, size=5, discordance=discordance, effect=effect, together=together
    )
    name = f"G={n_clusters} x 5 d={discordance} effect={effect} together={together}"
    found = coverage(name, simulation, effect=effect, n_draws=2000, seed=17)
    assert 1 - found <= allowed(1 - LEVEL, 2000)


@pytest.mark.calibration
@pytest.mark.parametrize(("n_clusters", "size"), [(20, 1), (50, 1), (200, 1), (60, 5)])
@pytest.mark.parametrize("changed", [0.10, 1.0])
def test_coverage_on_graded_scores(n_clusters: int, size: int, changed: float) -> None:
    simulation = graded(n_clusters, size=size, changed=changed, effect=-0.02)
    name = f"graded G={n_clusters} x {size} changed={changed}"
    found = coverage(name, simulation, effect=-0.02, n_draws=2000, seed=18)
    assert 1 - found <= allowed(1 - LEVEL, 2000)


def _macro_f1(rows: np.ndarray) -> float:
    counts = np.bincount(rows[:, 0] * 3 + rows[:, 1], minlength=9).reshape(3, 3)
    hits, total = np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1)
    return float(np.mean(np.divide(2 * hits, total, out=np.zeros(3), where=total > 0)))


@pytest.mark.calibration
@pytest.mark.parametrize("n_clusters", [60, 150])
def test_false_alarms_and_coverage_on_macro_f1(n_clusters: int) -> None:
    n_draws, size = 400, 2
    rng = np.random.default_rng(19)
    alarms, misses = 0, 0
    for draw in range(n_draws):
        target = np.repeat(rng.choice(3, n_clusters, p=[0.6, 0.3, 0.1]), size)
        runs = []
        for _ in range(2):
            is_wrong = (rng.random(n_clusters) < 0.2).repeat(size) | (rng.random(target.size) < 0.05)
            runs.append(np.column_stack([target, np.where(is_wrong, (target + 1) % 3, target)]))
        found = corpus_effect(
            _macro_f1,
            runs[0],
            runs[1],
            np.repeat(np.arange(n_clusters), size),
            draws=400,
            rng=generator_from_digest(f"macro-f1/{draw}"),
        )
        alarms += found.harm_p <= ALPHA
        misses += found.low is None or not found.low <= 0 <= found.high
    print(
        f"macro-F1 G={n_clusters} x {size}: false alarm {alarms / n_draws:.4f}, missed {misses / n_draws:.4f}"
    )
    assert alarms / n_draws <= allowed(ALPHA, n_draws)
    assert misses / n_draws <= allowed(1 - LEVEL, n_draws)
