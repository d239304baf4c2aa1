"""What a rule may judge besides the suite's metrics: what answers cost, and whether variants agree with their source.

Each is one value per variant and side, beside the metrics, so that slices, margins and tests are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison import SuitePairs
from harness.comparison.flips import correctness
from harness.core.rows import MetricFacts

if TYPE_CHECKING:
    import pandas as pd

CONSISTENCY = "consistency"
PEAK_MEMORY = "peak_memory_bytes"
DERIVED = {
    "tokens_per_answer": MetricFacts("tokens_per_answer", direction="lower", bounds=(0.0, None)),
    "seconds_per_answer": MetricFacts("seconds_per_answer", direction="lower", bounds=(0.0, None)),
    "tokens_per_second": MetricFacts("tokens_per_second", direction="higher", bounds=(0.0, None)),
    CONSISTENCY: MetricFacts(CONSISTENCY, binary=True),
}
TIMED = frozenset({"seconds_per_answer", "tokens_per_second", PEAK_MEMORY})


def with_derived(pairs: SuitePairs, name: str) -> SuitePairs | None:
    """The pairs with one derived metric in place of their own; None where nothing of it was recorded.

    Args:
        pairs: A suite's comparable variants.
        name: One of `DERIVED`.
    """
    if not pairs.n_shared:
        return pairs
    rows = _consistency(pairs) if name == CONSISTENCY else _cost(pairs, _COSTS[name])
    if rows.empty:
        return None
    return replace(pairs, metrics=(DERIVED[name],), scores=rows.assign(metric=name))


def _consistency(pairs: SuitePairs) -> pd.DataFrame:
    """1 where a variant is right exactly when its unchanged source is, for every variant with a source."""
    table = correctness(pairs)
    is_source = (table["transform"] == "source").to_numpy()
    rows = table[~is_source]
    sources = table[is_source].drop_duplicates("item_id").set_index("item_id")
    rows = rows[rows["item_id"].isin(sources.index)].copy()
    for side in ("baseline", "candidate"):
        own = rows[f"right_{side}"].to_list()
        of_source = sources[f"right_{side}"].reindex(rows["item_id"]).to_list()
        rows[side] = [
            np.nan if right is None or source is None else float(right == source)
            for right, source in zip(own, of_source, strict=True)
        ]
    # A variant whose source failed has no value either.
    for side in ("baseline", "candidate"):
        missing = rows[side].isna() & (rows[f"outcome_{side}"] != "failed")
        rows.loc[missing, f"outcome_{side}"] = "failed"
    return rows.drop(columns=["right_baseline", "right_candidate"])


def _tokens(outputs: pd.DataFrame, side: str) -> pd.Series:
    return outputs[f"tokens_{side}"].astype(float)


def _seconds(outputs: pd.DataFrame, side: str) -> pd.Series:
    return outputs[f"seconds_{side}"].astype(float)


def _rate(outputs: pd.DataFrame, side: str) -> pd.Series:
    seconds = _seconds(outputs, side)
    return _tokens(outputs, side) / seconds.where(seconds > 0)


_COSTS: dict[str, Callable[[pd.DataFrame, str], pd.Series]] = {
    "tokens_per_answer": _tokens,
    "seconds_per_answer": _seconds,
    "tokens_per_second": _rate,
}


def _cost(pairs: SuitePairs, cost: Callable[[pd.DataFrame, str], pd.Series]) -> pd.DataFrame:
    """One value per variant, from both sides' first outputs; no row where one side recorded nothing at all."""
    rows = pairs.scores.drop_duplicates("variant_id").copy()
    outputs = pairs.outputs.loc[rows["variant_id"]]
    for side in ("baseline", "candidate"):
        values = cost(outputs, side).to_numpy()
        if np.isnan(values).all():
            return rows.iloc[:0]
        rows[side] = values
    rows["samples"] = 1
    return rows
