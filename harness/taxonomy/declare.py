"""What an error class declares of itself, and the decorator that attaches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.core.scores import Case
from harness.metrics.examples import Example

# Where an error shows, earliest first: what is missing hides what is malformed, which hides what is wrong.
Stage = Literal["no_output", "termination", "form", "behaviour", "extraction", "content", "rest"]
STAGES: tuple[Stage, ...] = ("no_output", "termination", "form", "behaviour", "extraction", "content", "rest")
# Stages that speak of a wrong answer only; the others hold of a right one as well.
WRONG_ONLY: frozenset[Stage] = frozenset({"extraction", "content", "rest"})
Need = Literal["output", "prompt", "gold", "finish_reason", "demonstrations"]


@dataclass(frozen=True, slots=True)
class Found:
    """An error class holds; `detail` says which kind of it, for people."""

    detail: str | None = None


Detector = Callable[[Case], Found | None]


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """What an error class declares.

    Args:
        name: Its registry key.
        stage: Where the error shows; earlier stages are primary over later ones.
        order: Its place within the stage, lower first.
        version: Raised whenever the rule changes, since shares of two versions must not be compared.
        needs: What of a case the rule looks at.
        positives: Hand-checked cases where it holds.
        negatives: Hand-checked cases where it does not, near misses first.
    """

    name: str
    stage: Stage
    order: int
    version: int
    needs: frozenset[Need]
    positives: tuple[Example, ...]
    negatives: tuple[Example, ...]


def error_class(
    *,
    stage: Stage,
    order: int = 50,
    version: int,
    needs: set[Need],
    positives: tuple[Example, ...],
    negatives: tuple[Example, ...],
) -> Callable[[Detector], Detector]:
    """Declares an error class; the decorated function says whether it holds of a case."""

    def decorate(function: Detector) -> Detector:
        function.specification = ClassSpec(  # type: ignore[attr-defined]
            name=function.__name__,
            stage=stage,
            order=order,
            version=version,
            needs=frozenset(needs),
            positives=positives,
            negatives=negatives,
        )
        return function

    return decorate
