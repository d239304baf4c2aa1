"""Values of forms that know only text, by the declared kind of their field."""

from __future__ import annotations

import json
import re

from harness.core.items import FieldValue, OutputSpec

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}\.[0-9]{1,18}")
_TRUTH = {"true": True, "false": False, "是": True, "否": False}
_NUMBERS = ("number", "integer", "float", "数字", "整数")
_BOOLEANS = ("boolean", "bool", "布尔")


def typed(text: str, name: str, output: OutputSpec) -> FieldValue:
    """A written value as the number, truth value or null that its field declares; else the text.

    Example:
        >>> spec = OutputSpec("line", (("age", "number"), ("name", "string")))
        >>> typed("5", "age", spec), typed("5", "name", spec), typed("null", "name", spec)
        (5, '5', None)
    """
    kind = dict(output.fields).get(name, "string")
    if text == "null":
        return None
    if kind in _NUMBERS and _INTEGER.fullmatch(text):
        return int(text)
    if kind in _NUMBERS and _DECIMAL.fullmatch(text):
        return float(text)
    if kind in _BOOLEANS:
        return _TRUTH.get(text.casefold(), text)
    return text


def spelt(value: FieldValue) -> str:
    """A value as text: numbers, truth values and null as in JSON.

    Example:
        >>> spelt("a"), spelt(True), spelt(None), spelt(2.5)
        ('a', 'true', 'null', '2.5')
    """
    return value if isinstance(value, str) else json.dumps(value)
