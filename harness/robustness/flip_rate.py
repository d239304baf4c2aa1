"""How often a changed prompt changes the answer, by direction: a net drop hides what cancels out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from harness.robustness.estimate import Estimate, mean_estimate, same_length


@dataclass(frozen=True, slots=True)
class FlipRates:
    """Shares of all compared variants; the three directions add up to `any_flip`.

    Attributes:
        any_flip: The answer is not the source's.
        right_to_wrong: The source was right, the variant is wrong.
        wrong_to_right: The reverse.
        wrong_to_other_wrong: Both wrong, with different answers.
    """

    any_flip: Estimate
    right_to_wrong: Estimate
    wrong_to_right: Estimate
    wrong_to_other_wrong: Estimate


def flip_rates(
    answers: Sequence[Hashable | None],
    rights: Sequence[bool | None],
    source_answers: Sequence[Hashable | None],
    source_rights: Sequence[bool | None],
    items: Sequence[str],
    *,
    level: float = 0.95,
) -> FlipRates:
    """Flip rates of variants against their source, by content.

    Two right answers are the same answer, however they are worded. Two answers that could not be read are the same
    too: nothing changed.

    Args:
        answers: What each variant's answer says (the option's text, a label's id), not where it stands; None where
            none could be read.
        rights: Whether it is right; None where missing.
        source_answers: The answer to the source of each variant's item.
        source_rights: Whether that is right.
        items: Source item of each.
        level: Coverage of the intervals.

    Example:
        >>> found = flip_rates("xyz", [False, True, False], "xxy", [False, False, False], list("abc"))
        >>> [round(rate.value, 3) for rate in (found.any_flip, found.wrong_to_right, found.wrong_to_other_wrong)]
        [0.667, 0.333, 0.333]
    """
    same_length(
        answers=answers,
        rights=rights,
        source_answers=source_answers,
        source_rights=source_rights,
        items=items,
    )
    rows = list(zip(answers, rights, source_answers, source_rights, strict=True))
    kinds = [
        None
        if right is None or was_right is None
        else _kind(right=right, was_right=was_right, is_same=answer == was)
        for answer, right, was, was_right in rows
    ]

    def rate(*wanted: str) -> Estimate:
        values = [None if kind is None else float(kind in wanted) for kind in kinds]
        return mean_estimate(values, items, level=level)

    return FlipRates(
        any_flip=rate("lost", "won", "other"),
        right_to_wrong=rate("lost"),
        wrong_to_right=rate("won"),
        wrong_to_other_wrong=rate("other"),
    )


def _kind(*, right: bool, was_right: bool, is_same: bool) -> str:
    if right != was_right:
        return "won" if right else "lost"
    return "same" if right or is_same else "other"
