"""What a metric declares of itself, and the decorators that attach it.

A metric's name says its direction: `*_score` and the names that already say it go up, `*_loss` and
perplexity down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Literal

from harness.core.items import Item, TaskShape
from harness.core.scores import Case

Direction = Literal["higher", "lower"]
TargetPart = Literal["label", "option", "answers", "fields", "references"]
ItemMetric = Callable[[Case], float | None]

SCANNED_CHARACTERS = 65_536  # no metric reads more of an output: hostile ones must not cost more


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """What a corpus metric sees of one answered variant.

    Args:
        predicted: Label id or option index read; None where none could be read, which is wrong, not missing.
        gold: The right one.
        logprob_nats: Log-likelihood of a likelihood item.
        tokens: Its length in tokens.
        weight: How much the row counts, >= 0 (1 / n_variants makes every source item count once).
    """

    predicted: str | None = None
    gold: str | None = None
    logprob_nats: float | None = None
    tokens: float | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What a metric declares.

    Args:
        name: Its registry key.
        direction: Whether higher or lower is better.
        bounds: Least and greatest value; None where there is no greatest.
        binary: Whether only 0 and 1 occur.
        shapes: The task shapes it can score.
        corpus: Whether it scores many rows at once.
        target: The parts of a target of which it needs one; empty where it needs none.
        pass_at: From which value on an item counts as right; None where a value alone says no such thing.
        unfit: Says why an item's target cannot be scored although the part is there, or None.
    """

    name: str
    direction: Direction
    bounds: tuple[float, float | None]
    binary: bool
    shapes: frozenset[TaskShape]
    corpus: bool = False
    target: frozenset[TargetPart] = frozenset()
    pass_at: float | None = None
    unfit: Callable[[Item], str | None] | None = None

    @property
    def worst(self) -> float | None:
        """The worst value, which an unreadable answer gets; None where there is no worst."""
        return self.bounds[0] if self.direction == "higher" else self.bounds[1]


def metric(
    *,
    direction: Direction,
    bounds: tuple[float, float | None],
    shapes: set[TaskShape],
    target: set[TargetPart] | None = None,
    binary: bool = False,
    pass_at: float | None = None,
    unfit: Callable[[Item], str | None] | None = None,
) -> Callable[[Callable[[Case], float]], ItemMetric]:
    """Declares an item metric and gives it the outcome rules.

    The decorated function sees answered cases only: a failed answer is None (missing), an unparsed or
    abstained one the worst value (wrong).
    """

    def decorate(function: Callable[[Case], float]) -> ItemMetric:
        spec = MetricSpec(
            name=function.__name__,
            direction=direction,
            bounds=bounds,
            binary=binary,
            shapes=frozenset(shapes),
            target=frozenset(target or ()),
            pass_at=pass_at,
            unfit=unfit,
        )

        @wraps(function)
        def scored(case: Case) -> float | None:
            if case.prediction.outcome == "failed":
                return None
            if case.prediction.outcome != "scored":
                return spec.worst
            return function(case)

        scored.specification = spec  # type: ignore[attr-defined]
        return scored

    return decorate


def corpus_metric(
    *,
    direction: Direction,
    bounds: tuple[float, float | None],
    shapes: set[TaskShape],
    target: set[TargetPart] | None = None,
) -> Callable[[Callable[[Sequence[CorpusRow]], float]], Callable[[Sequence[CorpusRow]], float]]:
    """Declares a metric over all rows of a suite; rows of failed answers must have been left out."""

    def decorate(function: Callable[[Sequence[CorpusRow]], float]) -> Callable[[Sequence[CorpusRow]], float]:
        function.specification = MetricSpec(  # type: ignore[attr-defined]
            name=function.__name__,
            direction=direction,
            bounds=bounds,
            binary=False,
            shapes=frozenset(shapes),
            corpus=True,
            target=frozenset(target or ()),
        )
        return function

    return decorate
