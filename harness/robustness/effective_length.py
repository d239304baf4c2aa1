"""How long a context may grow before the score falls below what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.robustness.estimate import Estimate, mean_estimate, same_length


@dataclass(frozen=True, slots=True)
class EffectiveLength:
    """The longest context that still does.

    Attributes:
        lengths: Measured lengths, ascending.
        scores: One estimate a length.
        length: The longest whose mean reaches the threshold; None where none does.
        sure: The longest whose interval lies wholly above it; None where none does.
        possible: The longest whose interval reaches it; None where none does.
        has_gap: Some shorter length falls below it, so `length` overstates what can be relied on.
    """

    lengths: tuple[int, ...]
    scores: tuple[Estimate, ...]
    length: int | None
    sure: int | None
    possible: int | None
    has_gap: bool


def effective_length(
    scores: Sequence[float | None],
    items: Sequence[str],
    lengths: Sequence[int],
    *,
    threshold: float,
    level: float = 0.95,
) -> EffectiveLength:
    """The effective context length.

    Args:
        scores: Score of each variant in [0, 1]; None where missing.
        items: Source item of each.
        lengths: Context length of each, in one unit: characters as the suite fixes them, or a model's tokens.
        threshold: The mean score to be reached.
        level: Coverage of the intervals.

    Example:
        >>> scores = [1.0] * 40 + [1.0] * 30 + [0.0] * 10
        >>> found = effective_length(scores, [str(n) for n in range(80)], [500] * 40 + [4000] * 40, threshold=0.85)
        >>> found.length, found.sure, found.possible
        (500, 500, 4000)

    Source: RULER (Hsieh et al. 2024).
    """
    same_length(scores=scores, items=items, lengths=lengths)
    order = sorted(set(lengths))
    found = []
    for length in order:
        own = [place for place, one in enumerate(lengths) if one == length]
        found.append(
            mean_estimate([scores[place] for place in own], [items[place] for place in own], level=level)
        )

    def longest(ends: Sequence[float | None]) -> int | None:
        return max(
            (at for at, end in zip(order, ends, strict=True) if end is not None and end >= threshold),
            default=None,
        )

    reached = longest([one.value for one in found])
    has_gap = reached is not None and any(
        at < reached and one.value is not None and one.value < threshold
        for at, one in zip(order, found, strict=True)
    )
    return EffectiveLength(
        lengths=tuple(order),
        scores=tuple(found),
        length=reached,
        sure=longest([one.low for one in found]),
        possible=longest([one.high for one in found]),
        has_gap=has_gap,
    )
