"""Whether the same question gets the same answer whatever its form: compared by content, never by letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from harness.core.errors import UsageError
from harness.robustness.estimate import Estimate, mean_estimate, same_length


@dataclass(frozen=True, slots=True)
class Consistency:
    """Agreement among the answers to one item's variants; `n` counts items.

    Attributes:
        rate: Mean over items of the share of unordered pairs of variants with the same answer.
        corrected: 0 for independent guessing, 1 for full agreement; None where the number of answers is unknown.
    """

    rate: Estimate
    corrected: Estimate | None


def consistency(
    answers: Sequence[Hashable | None],
    items: Sequence[str],
    *,
    n_answers: Sequence[int] | int | None = None,
    level: float = 0.95,
) -> Consistency:
    """Agreement of the answers to an item's variants. Says nothing of whether they are right.

    An answer that could not be read agrees with none, not even with another such. An item with fewer than two variants
    is missing.

    Args:
        answers: What each answer says: an option's text, a label's id, a text; None where none could be read.
        items: Source item of each.
        n_answers: How many answers each variant offers, at least 2: what guessing agrees on by chance.
        level: Coverage of the intervals.

    Raises:
        UsageError: On unequal lengths, or fewer than two possible answers.

    Example:
        >>> consistency(["red", "red", "blue", "sea", "sea", "sea"], list("aaabbb")).rate.value  # 1/3 and 1
        0.6666666666666666

    Source: Zhao et al. 2024.
    """
    same_length(answers=answers, items=items)
    possible: Sequence[int | None]
    possible = [n_answers] * len(items) if n_answers is None or isinstance(n_answers, int) else n_answers
    same_length(items=items, n_answers=possible)
    own: dict[str, list[Hashable | None]] = {}
    offered: dict[str, int | None] = {}
    for answer, item, number in zip(answers, items, possible, strict=True):
        own.setdefault(item, []).append(answer)
        offered[item] = number
    names = list(own)
    rates = [_agreement(own[name]) for name in names]
    rate = mean_estimate(rates, names, level=level)
    numbers = [offered[name] for name in names]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return Consistency(rate, None)
    if min(known) < 2:
        raise UsageError(f"Agreement by chance needs at least two possible answers, got {min(known)}.")
    corrected = [
        None if found is None else (found - 1 / number) / (1 - 1 / number)
        for found, number in zip(rates, known, strict=True)
    ]
    lowest = -1 / (min(known) - 1)
    return Consistency(rate, mean_estimate(corrected, names, bounds=(lowest, 1.0), level=level))


def answer_entropy(
    answers: Sequence[Hashable | None], items: Sequence[str], *, level: float = 0.95
) -> Estimate:
    """Mean over items of the entropy of the answers to an item's variants, divided by its maximum for so many variants.

    0 where all answers are the same, 1 where no two are. Needs no gold answers.

    Args:
        answers: What each answer says; None, which could not be read, is a value of its own.
        items: Source item of each; an item with fewer than two variants is missing.
        level: Coverage of the interval.

    Example:
        >>> answer_entropy(["red", "blue", "sea", "sea"], list("aabb")).value
        0.5

    Source: Errica et al. 2024.
    """
    same_length(answers=answers, items=items)
    own: dict[str, list[Hashable | None]] = {}
    for answer, item in zip(answers, items, strict=True):
        own.setdefault(item, []).append(answer)
    values = [_entropy(Counter(given)) for given in own.values()]
    return mean_estimate(values, list(own), level=level)


def _agreement(answers: Sequence[Hashable | None]) -> float | None:
    n = len(answers)
    if n < 2:
        return None
    agreeing = sum(k * (k - 1) for answer, k in Counter(answers).items() if answer is not None)
    return agreeing / (n * (n - 1))


def _entropy(counts: Counter[Hashable | None]) -> float | None:
    n = counts.total()
    if n < 2:
        return None
    shares = np.array(sorted(counts.values())) / n
    return min(1.0, max(0.0, float(-(shares * np.log(shares)).sum()) / log(n)))
