"""One XML element whose children are the fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from xml.sax.saxutils import escape

from harness.core.items import FieldValue, OutputSpec
from harness.prompting.forms.values import spelt, typed

_NAME = r"[^\W\d][\w.-]*"
_OPEN = re.compile(rf"\s*(?:<\?xml[^>]{{0,80}}\?>\s*)?<({_NAME})>\s*")
_CHILD = re.compile(rf"<({_NAME})>([^<]*)</({_NAME})>\s*")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos);")
NAME = re.compile(_NAME)


def write(record: Mapping[str, FieldValue], output: OutputSpec) -> str:
    """`<answer>` around one element a field."""
    children = "".join(f"<{name}>{escape(spelt(value))}</{name}>" for name, value in record.items())
    return f"<answer>{children}</answer>"


def read(text: str, output: OutputSpec) -> dict[str, FieldValue] | None:
    """The children of the one root element, whatever the root is called; attributes and nesting are refused.

    Example:
        >>> spec = OutputSpec("xml", (("name", "string"), ("age", "number")))
        >>> read("<answer>\\n <name>A &amp; B</name><age>5</age>\\n</answer>", spec)
        {'name': 'A & B', 'age': 5}
        >>> read("<name>A</name> it is", spec) is None
        True
    """
    opening = _OPEN.match(text)
    if opening is None:
        return None
    record: dict[str, FieldValue] = {}
    at = opening.end()
    while match := _CHILD.match(text, at):
        name, value, closed = match.groups()
        if closed != name or name in record or "&" in _ENTITY.sub("", value):
            return None
        record[name] = typed(unescape(value.strip()), name, output)
        at = match.end()
    return record if record and text[at:].strip() == f"</{opening[1]}>" else None
