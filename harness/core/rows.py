"""The rows a run is made of: one record type per table of the store, and what a suite adds to a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.core.scores import Outcome


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One asked variant, shared by all runs of the same suite."""

    variant_id: str
    item_id: str
    prompt_id: str
    target_id: str
    language: str
    transform: str
    family: str
    params: str
    position: float | None
    dose: float | None
    level: str | None
    edits: str
    tags: str
    item: str
    prompt_text: str
    gold: str | None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One metric on one sample of one variant."""

    variant_id: str
    item_id: str
    target_id: str
    suite: str
    family: str
    transform: str
    params: str
    position: float | None
    dose: float | None
    level: str | None
    language: str
    sample: int
    replicate: int
    metric: str
    value: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class OutputRow:
    """What came back for one sample of one variant, raw and read."""

    variant_id: str
    item_id: str
    prompt_id: str
    target_id: str
    suite: str
    sample: int
    kind: Literal["choose", "score", "generate"]
    text: str | None
    predicted: str | None
    gold: str | None
    outcome: Outcome
    reason: str | None
    option_logprobs: tuple[float, ...] | None
    option_tokens: tuple[int, ...] | None
    option_greedy: tuple[bool, ...] | None
    logprob_nats: float | None
    tokens: int | None
    finish_reason: str | None
    prompt_tokens: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One error class found on one sample of one variant."""

    variant_id: str
    item_id: str
    suite: str
    sample: int
    error_class: str
    detector_version: int
    primary: bool


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """What a comparison must know of a metric, kept in the manifest so that a run explains itself.

    Args:
        direction: Which way is better.
        bounds: (lowest, highest) value, None where unbounded.
        binary: Whether values are 0 or 1.
        corpus: Whether it is computed over many items at once; per-item values are then None.
        pass_at: The value from which on an item counts as right (for lower-is-better: up to which), or None.
    """

    name: str
    direction: Literal["higher", "lower"] = "higher"
    bounds: tuple[float | None, float | None] = (0.0, 1.0)
    binary: bool = False
    corpus: bool = False
    pass_at: float | None = None

    def is_right(self, value: float) -> bool | None:
        """Whether an item with this value counts as right; None where the metric cannot tell.

        Example:
            >>> MetricFacts("accuracy", pass_at=1.0).is_right(0.0), MetricFacts("rouge").is_right(0.0)
            (False, None)
        """
        if self.pass_at is None:
            return None
        return value >= self.pass_at if self.direction == "higher" else value <= self.pass_at


@dataclass(frozen=True, slots=True)
class SuiteRecord:
    """A suite as a run's manifest names it.

    Args:
        digest: Of all variant and target ids.
        asking: JSON-able record of how the items were asked and read.
        source: Where the items came from.
    """

    name: str
    version: str
    digest: str
    primary: str
    metrics: tuple[MetricFacts, ...]
    task: str
    asking: dict[str, object]
    n_items: int
    n_variants: int
    n_rejected: int = 0
    source: Literal["suite", "lm_eval", "import"] = "suite"


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """One suite's part of a run."""

    record: SuiteRecord
    items: tuple[ItemRow, ...]
    scores: tuple[ScoreRow, ...]
    outputs: tuple[OutputRow, ...]
    errors: tuple[ErrorRow, ...] = ()
