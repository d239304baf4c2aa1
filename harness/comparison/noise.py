"""The numerical noise floor of a suite, from repeats of one checkpoint in other batch shapes or number formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from harness.comparison.sides import Side
from harness.stats.noise import NoiseFloor, noise_floor

if TYPE_CHECKING:
    import pandas as pd


def floor_of(sides: Iterable[Side], suite: str, variants: Sequence[str]) -> NoiseFloor | None:
    """The largest floor of any checkpoint that was run several times; None without repeats or option scores.

    Args:
        sides: Baseline and candidate.
        suite: Its name.
        variants: Comparable variants.
    """
    found = []
    for side in sides:
        tables = side.outputs_of(suite)
        for places in side.seeds:
            if len(places) > 1:
                margins = _margins([tables[place] for place in places], variants)
                if margins:
                    found.append(noise_floor(margins))
    return max(found, key=lambda floor: floor.nats, default=None)


def margin_nats(logprobs: object) -> float | None:
    """By how much the likeliest option leads the next; None where options were not scored."""
    values = _values(logprobs)
    if values is None:
        return None
    first, second = sorted(values, reverse=True)[:2]
    return first - second


def _margins(tables: Sequence[pd.DataFrame], variants: Sequence[str]) -> list[list[float]]:
    """Per variant, each repeat's lead of the option that the first repeat chose."""
    rows = []
    columns = [table.loc[list(variants), "option_logprobs"].to_list() for table in tables]
    for repeats in zip(*columns, strict=True):
        scored = [_values(logprobs) for logprobs in repeats]
        if any(values is None for values in scored):
            continue
        first = scored[0] or []
        chosen = first.index(max(first))
        rows.append(
            [
                values[chosen] - max(value for place, value in enumerate(values) if place != chosen)
                for values in scored
                if values is not None
            ]
        )
    return rows


def _values(logprobs: object) -> list[float] | None:
    if logprobs is None or isinstance(logprobs, float) or len(logprobs) < 2:  # type: ignore[arg-type]
        return None
    return [float(value) for value in logprobs]  # type: ignore[attr-defined]
