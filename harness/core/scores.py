"""Predictions, scores and the case that metrics and the taxonomy look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.core.digest import canonical_json
from harness.core.exchange import Answer, Conversation
from harness.core.items import FieldValue
from harness.core.variants import Variant

Outcome = Literal["scored", "abstained", "unparsed", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("scored", "abstained", "unparsed", "failed")


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer read from a response, or why none could be read.

    Args:
        outcome: `scored` where an answer was read; `unparsed` and `abstained` are the model's failures and count
            as wrong in a primary metric; `failed` is the system's failure and counts as missing.
        label: The class id read.
        option: The option index read.
        fields: The record read, for extraction.
        text: The answer text read (short answer, free text, conversation), or the raw text.
        reason: Why nothing could be read.
    """

    outcome: Outcome
    label: str | None = None
    option: int | None = None
    fields: tuple[tuple[str, FieldValue], ...] | None = None
    text: str | None = None
    reason: str | None = None

    @property
    def shown(self) -> str | None:
        """The prediction as one text: label id, option index, JSON of the fields, or the text."""
        if self.label is not None:
            return self.label
        if self.option is not None:
            return str(self.option)
        if self.fields is not None:
            return canonical_json(dict(self.fields))
        return self.text


@dataclass(frozen=True, slots=True)
class Score:
    """One metric on one variant: a value, or None with the outcome that explains it."""

    variant_id: str
    metric: str
    value: float | None
    outcome: Outcome
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known of one answered variant."""

    variant: Variant
    conversation: Conversation | str
    answer: Answer
    prediction: Prediction
    sample: int = 0
