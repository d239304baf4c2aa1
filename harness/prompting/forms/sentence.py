"""One sentence a field: "The category is good."."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.core.items import FieldValue, OutputSpec
from harness.prompting.forms.values import spelt, typed


def write(record: Mapping[str, FieldValue], output: OutputSpec) -> str:
    """The sentences one after another, in the language of the field's name."""
    said = []
    for name, value in record.items():
        said.append(f"The {name} is {spelt(value)}." if name.isascii() else f"{name}是{spelt(value)}。")
    return (" " if all(name.isascii() for name in record) else "").join(said)


def read(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """The values, where the text is exactly these sentences in the declared order; quotes around one are taken off.

    Example:
        >>> read("The category is “good”.", OutputSpec("sentence", (("category", "string"),)))
        {'category': 'good'}
        >>> read("类别是正面。", OutputSpec("sentence", (("类别", "string"),)))
        {'类别': '正面'}
    """
    record: dict[str, FieldValue] = {}
    rest = text.strip()
    for at, (name, _) in enumerate(output.fields):
        lead = rf"the {re.escape(name)} is +" if name.isascii() else rf"{re.escape(name)}(?:是|为) *"
        opening = re.match(lead, rest, re.IGNORECASE)
        if opening is None:
            return None
        rest = rest[opening.end() :]
        # The last sentence may hold a full stop inside its value; an earlier one ends at its first.
        stop = re.search(r"[.。]\s*", rest) if at < len(output.fields) - 1 else None
        value, rest = (rest[: stop.start()], rest[stop.end() :]) if stop else (rest, "")
        bare = value.strip().rstrip(".。").strip("\"'“”‘’「」*")
        if not bare or "\n" in bare:
            return None
        record[name] = typed(bare, name, output)
    return record
