"""Likelihood of a given text (perplexity)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.core.exchange import Request, ScoreText, TextScored
from harness.core.scores import Prediction
from harness.core.variants import Variant

if TYPE_CHECKING:
    from harness.prompting.asking import Asking


def request(variant: Variant, asking: Asking) -> Request:
    """Score the prompt's `text`."""
    text = variant.item.prompt.text
    if text is None or not text.text:
        raise UsageError(f"Item {variant.item_id}: a likelihood item needs a non-empty `text` in its prompt.")
    return ScoreText(variant.variant_id, text.text)


def read(variant: Variant, answer: TextScored) -> Prediction:
    """Nothing is predicted: the log-likelihood itself is measured."""
    return Prediction("scored")
