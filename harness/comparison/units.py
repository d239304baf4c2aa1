"""Single differences behind an effect: per variant, oriented so that positive is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.comparison.effects import Slice, slice_mask
from harness.comparison.pairing import SuitePairs
from harness.core.rows import MetricFacts

if TYPE_CHECKING:
    import pandas as pd

_RATE = "_rate"


@dataclass(frozen=True, slots=True)
class Differences:
    """Candidate minus baseline of every variant scored on both sides.

    Args:
        values: Shape (n,), up is better.
        items: Source item of each.
        span: Highest minus lowest possible score.
    """

    values: NDArray[np.float64]
    items: tuple[str, ...]
    span: float


def differences_of(
    pairs: SuitePairs, metric: str, where: Slice, *, tags: pd.Series | None = None
) -> Differences | None:
    """The differences of a metric, or of an outcome's rate, on a slice.

    None where there are none: a metric of the whole corpus, one without bounds, or nothing scored on both sides.

    Args:
        pairs: A suite's comparable variants.
        metric: A metric's name, or `unparsed_rate` and the like.
        where: The slice.
        tags: variant_id -> tags, needed where the slice names tags.
    """
    facts = next((fact for fact in pairs.metrics if fact.name == metric), None)
    table = pairs.scores
    if facts is None and metric.endswith(_RATE):
        outcome = metric.removesuffix(_RATE)
        facts = MetricFacts(metric, direction="lower", bounds=(0.0, 1.0), binary=True)
        table = table.drop_duplicates("variant_id")
        is_failed = (table["outcome_baseline"] == "failed") | (table["outcome_candidate"] == "failed")
        table = table[~is_failed.to_numpy()]
        table = table.assign(
            metric=metric,
            baseline=(table["outcome_baseline"] == outcome).astype(float),
            candidate=(table["outcome_candidate"] == outcome).astype(float),
        )
    if facts is None or facts.corpus or facts.bounds[0] is None or facts.bounds[1] is None:
        return None
    table = table[(table["metric"] == metric).to_numpy()]
    table = table[slice_mask(table, where, tags=tags)]
    table = table[table["baseline"].notna().to_numpy() & table["candidate"].notna().to_numpy()]
    if table.empty:
        return None
    sign = 1.0 if facts.direction == "higher" else -1.0
    values = sign * (table["candidate"].to_numpy(float) - table["baseline"].to_numpy(float))
    return Differences(values, tuple(table["item_id"]), facts.bounds[1] - facts.bounds[0])
