"""A Markdown table of one row."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.core.items import FieldValue, OutputSpec
from harness.prompting.forms.values import spelt, typed

_RULE = re.compile(r":?-{1,200}:?")
_BAR = re.compile(r"(?<!\\)\|")


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(inner)]


def write(record: Mapping[str, FieldValue], output: OutputSpec) -> str:
    """Header, rule and one row."""
    rows = (
        list(record),
        ["---"] * len(record),
        [spelt(value).replace("|", "\\|").replace("\n", " ") for value in record.values()],
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def read(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """The record whose names are the header and whose values are the only row.

    Example:
        >>> spec = OutputSpec("markdown_table", (("name", "string"), ("age", "number")))
        >>> read("| name | age |\\n|---|---|\\n| Anna | 5 |", spec)
        {'name': 'Anna', 'age': 5}
        >>> read("name, age\\nAnna, 5", spec) is None
        True
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if len(lines) != 3 or not all(line.lstrip().startswith("|") for line in lines):
        return None
    header, rule, row = (_cells(line) for line in lines)
    if not len(header) == len(rule) == len(row) == len(set(header)) or not all(header):
        return None
    if not all(_RULE.fullmatch(cell) for cell in rule):
        return None
    return {name: typed(value, name, output) for name, value in zip(header, row, strict=True)}
