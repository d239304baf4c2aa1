"""Extraction to a declared format: a record of fields read from generated text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.exchange import Generate, Request
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting.forms import read_record
from harness.prompting.forms.json_form import strict_json
from harness.prompting.render import render
from harness.prompting.thinking import without_thinking

__all__ = ["read_text", "request", "strict_json"]

if TYPE_CHECKING:
    from harness.prompting.asking import Asking


def request(variant: Variant, asking: Asking) -> Request:
    """Generate the record."""
    prompt = render(variant.item, task="extraction")
    return Generate(variant.variant_id, prompt, asking.generation, asking.samples)


def read_text(variant: Variant, text: str) -> Prediction:
    """The record, strictly: prose around it or a nested value is a failure of form."""
    answer = without_thinking(text)
    if answer is None:
        return Prediction("unparsed", text=text, reason="the thinking block is not closed")
    output = variant.item.prompt.output
    if output is None or output.format == "json":
        record = strict_json(answer)
    else:
        record = read_record(answer, output)
    if record is None:
        form = (
            "a JSON object" if output is None or output.format == "json" else f"{output.format} as declared"
        )
        return Prediction("unparsed", text=answer, reason=f"not {form}")
    nested = [name for name, value in record.items() if isinstance(value, (dict, list))]
    if nested:
        return Prediction("unparsed", text=answer, reason=f"field '{nested[0]}' is not a plain value")
    return Prediction("scored", fields=tuple(record.items()), text=answer)
