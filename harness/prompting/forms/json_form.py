"""A flat JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.core.items import FieldValue, OutputSpec


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


def write(record: Mapping[str, FieldValue], output: OutputSpec) -> str:
    """One object on one line."""
    return json.dumps(dict(record), ensure_ascii=False)


def read(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """The object; which fields it has is judged by the metric."""
    return strict_json(text)


def read_complete(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """The object, if it has every declared field, the extra ones with the value the prompt told."""
    from harness.prompting.forms import constants

    record = strict_json(text)
    if record is None or any(name not in record for name, _ in output.fields):
        return None
    return record if all(record[name] == value for name, value in constants(output).items()) else None
