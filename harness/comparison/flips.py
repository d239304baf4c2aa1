"""Items whose correctness changed, worst first, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.comparison.pairing import SuitePairs
from harness.core.rows import MetricFacts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Flip:
    """One variant that went from right to wrong (lost) or from wrong to right (won).

    Args:
        margin_nats: For option scoring, how far the candidate's chosen option leads the next; None otherwise.
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


def deciding_metric(pairs: SuitePairs) -> MetricFacts | None:
    """The primary metric if it tells right from wrong, else the first that does, else None."""
    by_name = {fact.name: fact for fact in pairs.metrics}
    for fact in (by_name[pairs.record.primary], *pairs.metrics):
        if fact.pass_at is not None and not fact.corpus:
            return fact
    return None


def correctness(pairs: SuitePairs) -> pd.DataFrame:
    """variant_id -> right_baseline, right_candidate (True, False, or None where missing), with the pair's facts."""
    metric = deciding_metric(pairs)
    if metric is None:
        return pairs.scores.iloc[0:0].assign(right_baseline=None, right_candidate=None)
    table = pairs.scores[pairs.scores["metric"] == metric.name].copy()
    assert metric.pass_at is not None
    for side in ("baseline", "candidate"):
        right = (table[side] >= metric.pass_at).astype(object)
        right[table[side].isna()] = None
        table[f"right_{side}"] = right
    return table


def flips(pairs: SuitePairs) -> list[Flip]:
    """Every flip of a suite: losses first, the surest of the candidate's errors leading."""
    table = correctness(pairs)
    found: list[Flip] = []
    for row in table.itertuples(index=False):
        if (
            row.right_baseline is None
            or row.right_candidate is None
            or row.right_baseline == row.right_candidate
        ):
            continue
        output = pairs.outputs.loc[row.variant_id]
        found.append(
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
                margin_nats=_margin(output["option_logprobs_candidate"]),
            )
        )
    return sorted(found, key=lambda flip: (flip.kind, -(flip.margin_nats or 0.0), flip.variant_id))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def shown_output(output: pd.Series, side: str) -> str | None:
    """The output text of a side, or what was chosen where nothing was generated."""
    return _text(output[f"text_{side}"]) or _text(output[f"predicted_{side}"])


def _margin(logprobs: object) -> float | None:
    if logprobs is None or isinstance(logprobs, float) or len(logprobs) < 2:  # type: ignore[arg-type]
        return None
    first, second = sorted((float(value) for value in logprobs), reverse=True)[:2]  # type: ignore[attr-defined]
    return first - second
