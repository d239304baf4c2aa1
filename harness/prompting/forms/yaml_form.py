"""A flat YAML mapping."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from harness.core.items import FieldValue, OutputSpec
from harness.prompting.forms.values import spelt, typed

LONGEST = 20_000  # characters; the parser is slow, and no record is longer
_PLAIN = re.compile(r"[^\W\d][\w .-]*(?<! )")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def write(record: Mapping[str, FieldValue], output: OutputSpec) -> str:
    """One `name: value` line a field; texts that could be read as something else stand in quotes."""
    return "\n".join(f"{name}: {_value(value)}" for name, value in record.items())


def _value(value: FieldValue) -> str:
    if isinstance(value, str) and (not _PLAIN.fullmatch(value) or value.casefold() in _WORDS):
        return json.dumps(value, ensure_ascii=False)
    return spelt(value)


def read(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """The mapping that the whole text is; lists, nesting, anchors and duplicate keys are refused.

    Example:
        >>> spec = OutputSpec("yaml", (("name", "string"), ("age", "number")))
        >>> read('name: "no"\\nage: 5', spec)
        {'name': 'no', 'age': 5}
        >>> read("Sure:\\n  name: Anna", spec) is None
        True
    """
    import yaml

    if len(text) > LONGEST:
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(root, yaml.MappingNode):
        return None
    record: dict[str, FieldValue] = {}
    for key, value in root.value:
        if not (isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)):
            return None
        if key.value in record:
            return None
        # Quoted, "null" is a text.
        record[key.value] = value.value if value.style else typed(value.value, key.value, output)
    return record or None
