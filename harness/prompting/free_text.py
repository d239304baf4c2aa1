"""Free text against references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.exchange import Request
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting import short_answer

if TYPE_CHECKING:
    from harness.prompting.asking import Asking


def request(variant: Variant, asking: Asking) -> Request:
    """Generate the text."""
    return short_answer.request(variant, asking)


def read_text(variant: Variant, text: str) -> Prediction:
    """The whole text; empty is unparsed, declining an abstention."""
    return short_answer.read_text(variant, text)
