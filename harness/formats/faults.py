"""pydantic's errors in the words of the file: field, value, what was expected, the nearest known name."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
_WHOLE = {
    "missing": "is missing; add it",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}
_SHORTER = {
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
}
_BRANCHES = frozenset({"str", "int", "float", "bool", "dict[str,any]", "[key]"})


@dataclass(frozen=True, slots=True)
class Wording:
    """What one kind of file adds to the messages.

    Args:
        elsewhere: What other tools call our keys, to ours.
        refused: Keys that never stand at the top of the file, to the reason.
        patterns: Regular expressions of the shape, to what they ask for in words.
    """

    elsewhere: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)


PLAIN = Wording()


def field_path(parts: Sequence[str | int]) -> str:
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


def _unknown_key(parts: Parts, root: type[BaseModel], wording: Wording) -> str:
    key, known = str(parts[-1]), known_keys(root, parts[:-1])
    if len(parts) == 1 and key in wording.refused:
        return f"unknown key '{key}': {wording.refused[key]}"
    meant = wording.elsewhere.get(key)
    hint = f" Did you mean '{meant}'?" if meant in known else suggestion(key, known)
    return f"unknown key '{key}'." + (hint or f" Known: {', '.join(known)}.")


def _unknown_value(value: object, expected: str) -> str:
    """`expected` quotes what is allowed, as pydantic does."""
    near = suggestion(value, re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else ""
    return f"expected {expected}, got {shown(value)}.{near}"


def _message(error: Mapping[str, Any], parts: Parts, root: type[BaseModel], wording: Wording) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(parts, root, wording)
    if kind == "literal_error":
        return _unknown_value(value, str(context["expected"]))
    if kind == "union_tag_invalid":
        return _unknown_value(context["tag"], str(context["expected_tags"]))
    if kind == "string_pattern_mismatch" and context["pattern"] in wording.patterns:
        return f"expected {wording.patterns[context['pattern']]}, got {shown(value)}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _WHOLE:
        return _WHOLE[kind]
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {shown(value)}"
    if kind == "too_long":
        return f"expected at most {context['max_length']} entries, got {shown(value)}"
    reason = str(error["msg"]).removeprefix("Input should be ")
    for words, shorter in _SHORTER.items():
        reason = reason.replace(words, shorter)
    return f"expected {reason}, got {shown(value)}"


def shape_faults(
    error: ValidationError, root: type[BaseModel], *, wording: Wording = PLAIN
) -> list[tuple[Parts, str]]:
    """Path and message of each fault, in the order of the file's fields; one message per path.

    Args:
        error: What validating against `root` raised.
        root: The shape of the whole file.
        wording: The file's own words.
    """
    faults: dict[Parts, list[str]] = {}
    for record in error.errors(include_url=False):
        parts = tuple(part for part in record["loc"] if not str(part).startswith("<"))
        # A union of plain types reports each branch under its type's name.
        if parts and str(parts[-1]) in _BRANCHES:
            parts = parts[:-1]
        faults.setdefault(parts, []).append(_message(record, parts, root, wording))
    return [(parts, _joined(messages)) for parts, messages in faults.items()]


def _joined(messages: list[str]) -> str:
    """Several branches' messages as one: expected a text or a whole number, got ..."""
    if len(messages) == 1:
        return messages[0]
    wanted, ends = [], set()
    for message in messages:
        match = re.fullmatch(r"expected (.*), got (.*)", message, re.DOTALL)
        if match is None:
            return messages[0]
        wanted.append(match[1])
        ends.add(match[2])
    return f"expected {' or '.join(dict.fromkeys(wanted))}, got {sorted(ends)[0]}"
