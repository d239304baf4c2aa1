"""Extraction to a declared format: a record of fields read from generated text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.core.exchange import Generate, Request
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting.render import render
from harness.prompting.thinking import without_thinking

if TYPE_CHECKING:
    from harness.prompting.asking import Asking


def request(variant: Variant, asking: Asking) -> Request:
    """Generate the record."""
    prompt = render(variant.item, task="extraction")
    return Generate(variant.variant_id, prompt, asking.generation, asking.samples)


def strict_json(text: str) -> dict[str, Any] | None:
    """The object that the whole text is, or None. NaN, duplicate keys and other values are refused.

    Example:
        >>> strict_json('{"a": 1}'), strict_json('Sure: {"a": 1}')
        ({'a': 1}, None)
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) != len(pairs):
            raise ValueError("duplicate key")
        return record

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        value = json.loads(text.strip(), object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_text(variant: Variant, text: str) -> Prediction:
    """The record, strictly: prose around it or a nested value is a failure of form."""
    answer = without_thinking(text)
    if answer is None:
        return Prediction("unparsed", text=text, reason="the thinking block is not closed")
    record = strict_json(answer)
    if record is None:
        return Prediction("unparsed", text=answer, reason="not a JSON object")
    nested = [name for name, value in record.items() if isinstance(value, (dict, list))]
    if nested:
        return Prediction("unparsed", text=answer, reason=f"field '{nested[0]}' is not a plain value")
    return Prediction("scored", fields=tuple(record.items()), text=answer)
