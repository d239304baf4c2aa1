"""Conversation: the turns so far are given, the last is the user's, the model answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.core.exchange import Request
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting import classification, extraction, short_answer

if TYPE_CHECKING:
    from harness.prompting.asking import Asking


def request(variant: Variant, asking: Asking) -> Request:
    """Generate the next turn."""
    turns = variant.item.prompt.turns
    if not turns or turns[-1].role != "user":
        raise UsageError(f"Item {variant.item_id}: a conversation must end with a turn whose role is 'user'.")
    return short_answer.request(variant, asking)


def read_text(variant: Variant, text: str) -> Prediction:
    """A label or a record where the target is one, else the text."""
    target = variant.item.target
    if target is not None and target.label is not None:
        return classification.read_text(variant, text)
    if target is not None and target.fields:
        return extraction.read_text(variant, text)
    return short_answer.read_text(variant, text)
