"""Recipes compared over training seeds: the band of each, and the doubt that seeds add to an effect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.pairing import SuitePairs
from harness.core.rows import MetricFacts
from harness.stats.paired import PairedEffect
from harness.stats.seeds import MIN_SEEDS, RecipeEffect, SeedBand, recipe_effect, seed_band

if TYPE_CHECKING:
    import pandas as pd


def seed_bands(pairs: SuitePairs, metric: MetricFacts) -> tuple[SeedBand | None, SeedBand | None]:
    """Where one more seed of the baseline's and of the candidate's recipe would be expected; None with one seed.

    Args:
        pairs: A suite's comparable variants.
        metric: A metric with a value of every item.
    """
    if pairs.seeds is None or metric.corpus:
        return None, None
    items = _items(pairs, metric)
    found = []
    for table in pairs.seeds:
        own = table.xs(metric.name, level="metric").reindex(items.index).dropna()
        means = own.groupby(items.reindex(own.index)).mean().mean().to_list()
        found.append(seed_band(means) if len(means) >= MIN_SEEDS else None)
    return found[0], found[1]


def sibling_discordance(pairs: SuitePairs, metric: MetricFacts) -> float | None:
    """How often two seeds of the baseline's recipe disagree; None where it has one seed, or the metric is not 0-1."""
    if pairs.seeds is None or not metric.binary:
        return None
    table = pairs.seeds[0].xs(metric.name, level="metric").dropna().to_numpy(float)
    n_seeds = table.shape[1]
    if n_seeds < MIN_SEEDS or not len(table):
        return None
    shares = [
        float(np.mean(table[:, first] != table[:, second]))
        for first in range(n_seeds)
        for second in range(first + 1, n_seeds)
    ]
    return sum(shares) / len(shares)


def with_seeds(
    found: PairedEffect, pairs: SuitePairs, metric: MetricFacts, scored: pd.DataFrame, *, margin: float | None
) -> PairedEffect:
    """The effect with the seeds' spread in its doubt: whatever is the more cautious.

    Args:
        found: From the means over seeds.
        pairs: The suite's comparable variants.
        metric: The metric.
        scored: The rows behind `found`.
        margin: Largest acceptable loss.
    """
    recipe = _recipe(pairs, metric, scored, margin=margin)
    if recipe is None:
        return found
    low = recipe.low if found.low is None else min(found.low, recipe.low)
    high = recipe.high if found.high is None else max(found.high, recipe.high)
    certify_p = found.certify_p
    if certify_p is not None and recipe.certify_p is not None:
        certify_p = max(certify_p, recipe.certify_p)
    return replace(
        found,
        low=low,
        high=high,
        harm_p=max(found.harm_p, recipe.harm_p),
        certify_p=certify_p,
        method=f"{found.method}; and over {recipe.n_baseline} and {recipe.n_candidate} seeds",
    )


def _recipe(
    pairs: SuitePairs, metric: MetricFacts, scored: pd.DataFrame, *, margin: float | None
) -> RecipeEffect | None:
    if pairs.seeds is None:
        return None
    sign = 1.0 if metric.direction == "higher" else -1.0
    sides = [
        sign * table.xs(metric.name, level="metric").reindex(scored["variant_id"]).to_numpy(float)
        for table in pairs.seeds
    ]
    is_whole = ~np.isnan(np.concatenate(sides, axis=1)).any(axis=1)
    items = scored["item_id"].to_numpy()[is_whole]
    if len(set(items)) < 2:
        return None
    return recipe_effect(sides[0][is_whole], sides[1][is_whole], items, margin=margin)


def _items(pairs: SuitePairs, metric: MetricFacts) -> pd.Series:
    """variant_id -> source item, of a metric's rows."""
    rows = pairs.scores[pairs.scores["metric"] == metric.name]
    return rows.set_index("variant_id")["item_id"]
