"""The bare values on one line, in the declared order."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.items import FieldValue, OutputSpec
from harness.prompting.forms.values import spelt, typed

BETWEEN = " | "


def write(record: Mapping[str, FieldValue], output: OutputSpec) -> str:
    """Values between bars; a single value stands bare."""
    return BETWEEN.join(spelt(record.get(name)) for name, _ in output.fields)


def read(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """As many values as fields are declared, on one line, or None.

    Example:
        >>> read("Anna | 5", OutputSpec("line", (("name", "string"), ("age", "number"))))
        {'name': 'Anna', 'age': 5}
        >>> read("It is good.\\nReally.", OutputSpec("line", (("label", "string"),))) is None
        True
    """
    bare = text.strip()
    values = [bare] if len(output.fields) == 1 else [value.strip() for value in bare.split("|")]
    if len(bare.splitlines()) != 1 or len(values) != len(output.fields) or not all(values):
        return None
    return {name: typed(value, name, output) for (name, _), value in zip(output.fields, values, strict=True)}
