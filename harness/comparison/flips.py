"""Items whose correctness changed, worst first, for people to read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.comparison.noise import margin_nats
from harness.comparison.pairing import SuitePairs
from harness.core.rows import MetricFacts
from harness.stats.noise import is_within_noise

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Flip:
    """One variant that went from right to wrong (lost) or from wrong to right (won).

    Args:
        margin_nats: For option scoring, how far the candidate's chosen option leads the next; None otherwise.
        is_tie: Whether numerical noise alone could undo it, as repeats of a checkpoint show: no regression.
    """

    suite: str
    variant_id: str
    item_id: str
    transform: str
    position: float | None
    language: str
    kind: Literal["lost", "won"]
    gold: str | None
    baseline_output: str | None
    candidate_output: str | None
    margin_nats: float | None
    is_tie: bool = False


def deciding_metric(pairs: SuitePairs) -> MetricFacts | None:
    """The primary metric if it tells right from wrong, else the first that does, else None."""
    able = [fact for fact in pairs.metrics if fact.pass_at is not None and not fact.corpus]
    return next((fact for fact in able if fact.name == pairs.record.primary), able[0] if able else None)


def correctness(pairs: SuitePairs) -> pd.DataFrame:
    """The pairs' facts with right_baseline and right_candidate: True, False, or None where missing.

    Without a metric that tells right from wrong there are no rows.
    """
    metric = deciding_metric(pairs)
    if metric is None:
        return pairs.scores.iloc[:0].assign(right_baseline=None, right_candidate=None)
    table = pairs.scores[pairs.scores["metric"] == metric.name].copy()
    for side in ("baseline", "candidate"):
        right = [None if value != value else metric.is_right(value) for value in table[side]]
        table[f"right_{side}"] = np.array(right, dtype=object)
    return table


def flips(pairs: SuitePairs) -> list[Flip]:
    """Every flip of a suite: losses first, the surest of the candidate's errors leading."""
    table = correctness(pairs)
    is_flip = [
        before is not None and after is not None and before != after
        for before, after in zip(table["right_baseline"], table["right_candidate"], strict=True)
    ]
    flipped = table[np.array(is_flip, dtype=bool)]
    outputs = pairs.outputs.loc[flipped["variant_id"]].to_dict("records")
    found = [
        Flip(
            suite=pairs.record.name,
            variant_id=row.variant_id,
            item_id=row.item_id,
            transform=row.transform,
            position=None if row.position != row.position else row.position,
            language=row.language,
            kind="lost" if row.right_baseline else "won",
            gold=_text(output["gold_candidate"]),
            baseline_output=shown_output(output, "baseline"),
            candidate_output=shown_output(output, "candidate"),
            margin_nats=margin_nats(output["option_logprobs_candidate"]),
            is_tie=_is_tie(pairs, output),
        )
        for row, output in zip(flipped.itertuples(index=False), outputs, strict=True)
    ]
    return sorted(
        found, key=lambda flip: (flip.kind, flip.is_tie, -(flip.margin_nats or 0.0), flip.variant_id)
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def shown_output(output: Mapping[Hashable, object], side: str) -> str | None:
    """The output text of a side, or what was chosen where nothing was generated."""
    return _text(output[f"text_{side}"]) or _text(output[f"predicted_{side}"])


def _is_tie(pairs: SuitePairs, output: Mapping[Hashable, object]) -> bool:
    """Whether a flip's margin lies inside of the suite's noise floor on either side."""
    if pairs.floor is None:
        return False
    before, after = (margin_nats(output[f"option_logprobs_{side}"]) for side in ("baseline", "candidate"))
    if before is None or after is None:
        return False
    return is_within_noise(before, after, floor_nats=pairs.floor.nats)
