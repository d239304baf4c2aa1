"""A work: questions of one shape, asked of both sides in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["choose", "text", "generate"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked once.

    Args:
        prompt: The context; for a text, the text itself.
        options: What may follow, each with the space before it; none for a text or a generation.
    """

    prompt: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """Questions of one shape.

    Args:
        name: As in the figures.
        kind: Options to be scored, whole texts, or free text to be written.
        questions: At least one.
        stop: Generation only: the string that ends a text.
        max_tokens: Generation only: the most tokens of a text.
    """

    name: str
    kind: Kind
    questions: tuple[Question, ...]
    stop: str = ""
    max_tokens: int = 0


def evenly_spaced(n_questions: int, n_wanted: int) -> list[int]:
    """Places of a part that stands for the whole: spread over it, each once, ascending.

    Example:
        >>> evenly_spaced(10, 4)
        [1, 3, 6, 8]
        >>> evenly_spaced(2, 5)
        [0, 1]
    """
    if n_wanted >= n_questions:
        return list(range(n_questions))
    return [int((place + 0.5) * n_questions / n_wanted) for place in range(n_wanted)]


def part_of(work: Work, places: Sequence[int]) -> Work:
    """The questions at those places."""
    return replace(work, questions=tuple(work.questions[place] for place in places))
