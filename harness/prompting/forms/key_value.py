"""Lines of a name, a colon and a value: "Category: good"."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.items import FieldValue, OutputSpec
from harness.prompting.forms.values import spelt, typed


def write(record: Mapping[str, FieldValue], output: OutputSpec) -> str:
    """One line a field, with the colon of the name's script."""
    return "\n".join(
        f"{name}{': ' if name.isascii() else '：'}{spelt(value)}" for name, value in record.items()
    )


def read(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """Every line a declared name, whatever its case, a colon of either width and a value; or None.

    Example:
        >>> spec = OutputSpec("key_value", (("Category", "string"),))
        >>> read("Category: good", spec), read("category：good", spec), read("good", spec)
        ({'Category': 'good'}, {'Category': 'good'}, None)
    """
    names = {name.casefold(): name for name, _ in output.fields}
    record: dict[str, FieldValue] = {}
    for line in text.strip().splitlines():
        key, colon, value = line.replace("：", ":", 1).partition(":")
        name = names.get(key.strip().casefold())
        if not colon or name is None or name in record or not value.strip():
            return None
        record[name] = typed(value.strip(), name, output)
    return record or None
