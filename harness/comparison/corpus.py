"""The paired effect of a metric over many items at once, such as macro-F1 or perplexity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from harness.core.digest import digest
from harness.core.rows import MetricFacts
from harness.metrics import METRICS, CorpusRow
from harness.stats.corpus import CorpusEffect, corpus_effect, generator_from_digest

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 1000


def corpus_value(metric: str, outputs: pd.DataFrame) -> float:
    """A corpus metric of one side's answered outputs; every source item counts once.

    Args:
        metric: Its name.
        outputs: Rows with item_id, kind, predicted, gold, logprob_nats and tokens.
    """
    rows, statistic = _statistic(metric, outputs, [""])
    return statistic(rows[0])


def paired_corpus_effect(
    metric: MetricFacts, outputs: pd.DataFrame, *, margin: float | None, seed: str, draws: int = DRAWS
) -> CorpusEffect:
    """Swap test and bootstrap over source items, oriented so that up is better.

    Args:
        metric: Its facts.
        outputs: Both sides' outputs of the variants that both answered.
        margin: Largest acceptable loss.
        seed: Text that fixes the draws.
        draws: Swaps and resamples.
    """
    rows, statistic = _statistic(metric.name, outputs, ["_baseline", "_candidate"])
    sign = 1.0 if metric.direction == "higher" else -1.0
    return corpus_effect(
        lambda sample: sign * statistic(sample),
        rows[0],
        rows[1],
        outputs["item_id_baseline"].to_list(),
        draws=draws,
        rng=generator_from_digest(digest("corpus/1", seed, metric.name)),
        margin=margin,
    )


def _statistic(
    metric: str, outputs: pd.DataFrame, sides: list[str]
) -> tuple[list[np.ndarray], Callable[[np.ndarray], float]]:
    """Arrays per side and the metric as a function of such an array.

    Equal rows are merged into one of their joint weight before the metric sees them, so that a resample costs
    as much as there are classes, not items.
    """
    function = METRICS.get(metric)
    items = outputs[f"item_id{sides[0]}"]
    weights = (1.0 / items.groupby(items).transform("size")).to_numpy(float)
    if outputs[f"kind{sides[0]}"].eq("score").all():
        columns = [(outputs[f"logprob_nats{side}"], outputs[f"tokens{side}"]) for side in sides]
        arrays = [
            np.stack([weights * nats.to_numpy(float), weights * tokens.to_numpy(float)], axis=1)
            for nats, tokens in columns
        ]

        def of_sums(sample: np.ndarray) -> float:
            nats, tokens = (float(total) for total in sample.sum(axis=0))
            return float(function([CorpusRow(logprob_nats=nats, tokens=tokens)]))

        return arrays, of_sums
    names = [(outputs[f"predicted{side}"], outputs[f"gold{side}"]) for side in sides]
    pairs = sorted(
        {(_text(p), _text(g)) for predicted, gold in names for p, g in zip(predicted, gold, strict=True)},
        key=str,
    )
    code = {pair: place for place, pair in enumerate(pairs)}
    arrays = [
        np.stack(
            [
                np.array(
                    [code[_text(p), _text(g)] for p, g in zip(predicted, gold, strict=True)], dtype=float
                ),
                weights,
            ],
            axis=1,
        )
        for predicted, gold in names
    ]

    def merged(sample: np.ndarray) -> float:
        counts = np.bincount(sample[:, 0].astype(np.intp), weights=sample[:, 1], minlength=len(pairs))
        rows = [
            CorpusRow(predicted, gold, weight=float(count))
            for (predicted, gold), count in zip(pairs, counts, strict=True)
            if count > 0
        ]
        return float(function(rows))

    return arrays, merged


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
