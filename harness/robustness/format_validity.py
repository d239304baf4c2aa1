"""Cannot format, or does not know: validity of the form apart from accuracy of the content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.scores import Outcome
from harness.robustness.estimate import Estimate, mean_estimate, number_array, same_length


@dataclass(frozen=True, slots=True)
class FormatValidity:
    """A score split in two.

    Attributes:
        valid: Share of answers that could be read.
        given_valid: Mean score of those.
        end_to_end: Mean score of all, what cannot be read counting 0.
        no_answer: Share of answers that decline.
        unreadable: Share of answers not in the form asked for.
    """

    valid: Estimate
    given_valid: Estimate
    end_to_end: Estimate
    no_answer: Estimate
    unreadable: Estimate


def format_validity(
    outcomes: Sequence[Outcome], scores: Sequence[float | None], items: Sequence[str], *, level: float = 0.95
) -> FormatValidity:
    """Split a score into form and content. A failure of the system is missing in all of it.

    Args:
        outcomes: What became of each answer.
        scores: Its score in [0, 1]; None where missing.
        items: Source item of each.
        level: Coverage of the intervals.

    Example:
        >>> found = format_validity(["scored", "unparsed", "scored", "scored"], [1.0, 0.0, 1.0, 0.0], list("abcd"))
        >>> found.valid.value, round(found.given_valid.value, 3), found.end_to_end.value
        (0.75, 0.667, 0.5)

    Source: Tam et al. 2024 (the split).
    """
    array = number_array(scores)
    same_length(outcomes=outcomes, scores=array, items=items)

    def share(*wanted: Outcome) -> Estimate:
        values = [None if outcome == "failed" else float(outcome in wanted) for outcome in outcomes]
        return mean_estimate(values, items, level=level)

    is_failed = np.array([outcome == "failed" for outcome in outcomes], dtype=bool)
    is_valid = np.array([outcome == "scored" for outcome in outcomes], dtype=bool)
    readable = [place for place in range(len(items)) if is_valid[place]]
    whole = np.where(is_failed, np.nan, np.where(is_valid, array, 0.0))
    return FormatValidity(
        valid=share("scored"),
        given_valid=mean_estimate(array[is_valid], [items[place] for place in readable], level=level),
        end_to_end=mean_estimate(whole, items, level=level),
        no_answer=share("abstained"),
        unreadable=share("unparsed"),
    )
