"""pydantic's errors in the words of the file: field, value, what was expected, the nearest known name."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.core.naming import suggestion

Parts = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}


def field_path(parts: Parts) -> str:
    """Keys and indices as people write them.

    Example:
        >>> field_path(("rules", 1, "margin"))
        'rules[1].margin'
    """
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: object, *, limit: int = 60) -> str:
    """A value as it may stand in a message: quoted, on one line, cut.

    Example:
        >>> shown("a" * 100, limit=10)
        "'aaaaaa..."
    """
    text = repr(value).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The record types named anywhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]


def known_keys(root: type[BaseModel], parts: Parts) -> list[str]:
    """The keys allowed at a path of the file."""
    models = [root]
    for part in parts:
        if isinstance(part, int):
            continue
        fields = [
            info
            for model in models
            for name, info in model.model_fields.items()
            if (info.alias or name) == part
        ]
        inner = [model for info in fields for model in _models_in(info.annotation)]
        models = inner or models
    return sorted({info.alias or name for model in models for name, info in model.model_fields.items()})


def _message(error: Mapping[str, Any], parts: Parts, root: type[BaseModel]) -> str:
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        known = known_keys(root, parts[:-1])
        hint = suggestion(str(parts[-1]), known) or f" Known: {', '.join(known)}."
        return f"unknown key '{parts[-1]}'.{hint}"
    if kind == "missing":
        return "is missing; add it"
    if kind == "literal_error":
        expected = str(error["ctx"]["expected"])
        near = suggestion(value, re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else ""
        return f"expected {expected}, got {shown(value)}.{near}"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {shown(value)}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']*)'", str(error["ctx"]["expected_tags"]))
        tag = str(error["ctx"]["tag"])
        return f"expected one of {', '.join(tags)}, got {shown(tag)}.{suggestion(tag, tags)}"
    reason = (
        str(error["msg"]).removeprefix("Input should be ").replace("greater than or equal to", "at least")
    )
    reason = reason.replace("less than or equal to", "at most").replace("greater than", "more than")
    return f"expected {reason}, got {shown(value)}"


def shape_faults(error: ValidationError, root: type[BaseModel]) -> list[tuple[Parts, str]]:
    """Path and message of each fault, in the order of the file's fields; the first message per path."""
    faults: dict[Parts, str] = {}
    for record in error.errors(include_url=False):
        parts = tuple(part for part in record["loc"] if not str(part).startswith("<"))
        # A union of plain types reports each branch under its type's name.
        if parts and str(parts[-1]) in ("str", "int", "float", "bool"):
            parts = parts[:-1]
        faults.setdefault(parts, _message(record, parts, root))
    return list(faults.items())
