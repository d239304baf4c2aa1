"""pydantic's errors in the words of the file: field, value, what was expected, the nearest known name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.core.naming import suggestion
from harness.suites import item_shape, suite_shape
from harness.suites.findings import shown

Parts = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "int_from_float": "a whole number",
    "finite_number": "a finite number",
}
_SHAPE_OF: dict[str, type[BaseModel]] = {
    "prompt": item_shape.PromptRecord,
    "target": item_shape.TargetRecord,
    "answer": item_shape.TargetRecord,
    "labels": item_shape.LabelRecord,
    "context": item_shape.PassageRecord,
    "output": item_shape.OutputRecord,
    "turns": item_shape.TurnRecord,
    "generation": suite_shape.GenerationRecord,
    "read": suite_shape.ReadRecord,
    "splits": suite_shape.TagSplit,
}
_TEXTS = ("system", "instruction", "question", "text")
# What other tools call our keys.
_ELSEWHERE = {
    "choices": "options",
    "answer": "target",
    "gold": "target",
    "license": "licence",
    "lang": "language",
    "metric": "metrics",
    "transforms": "variants",
    "few_shot": "demonstrations",
    "fewshot": "demonstrations",
    "examples": "demonstrations",
}
_SHORTER = {
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
}
_RULES = {
    suite_shape.NAME: "small letters, digits and single hyphens, e.g. 'my-suite'",
    suite_shape.VERSION: "a version such as '2026.1'",
    item_shape.LANGUAGE: "a language tag such as 'en' or 'zh'",
}


def _known_keys(parts: Parts, root: type[BaseModel]) -> list[str]:
    """The keys allowed where an unknown one stands."""
    names = [part for part in parts if isinstance(part, str)]
    indexed = bool(parts) and isinstance(parts[-1], int)
    if not names:
        shape = root
    elif names[-1] == "demonstrations":
        shape = item_shape.DemonstrationRecord if indexed else suite_shape.DrawnDemonstrations
    elif names[-1] in _TEXTS:
        shape = item_shape.MarkedText
    else:
        shape = _SHAPE_OF.get(names[-1], item_shape.PromptRecord)
    return [info.alias or name for name, info in shape.model_fields.items()]


def _unknown_key(parts: Parts, root: type[BaseModel]) -> str:
    key, known = str(parts[-1]), _known_keys(parts[:-1], root)
    if key == "id" and root is item_shape.ItemRecord and len(parts) == 1:
        return "unknown key 'id': ids are computed from the content; remove it"
    meant = _ELSEWHERE.get(key)
    hint = f" Did you mean '{meant}'?" if meant in known else suggestion(key, known)
    return f"unknown key '{key}'." + (hint or f" Known: {', '.join(sorted(known))}.")


def _literal(error: Mapping[str, Any]) -> str:
    expected = str(error["ctx"]["expected"])
    value = error["input"]
    near = suggestion(value, re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else ""
    return f"expected {expected}, got {shown(value)}.{near}"


def _message(error: Mapping[str, Any], parts: Parts, root: type[BaseModel]) -> str:
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        return _unknown_key(parts, root)
    if kind == "missing":
        return "is missing; add it"
    if kind == "literal_error":
        return _literal(error)
    if kind == "string_pattern_mismatch":
        return f"expected {_RULES[error['ctx']['pattern']]}, got {shown(value)}"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {shown(value)}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind == "too_long":
        return f"expected at most {error['ctx']['max_length']} entries, got {shown(value)}"
    reason = str(error["msg"]).removeprefix("Input should be ")
    for words, shorter in _SHORTER.items():
        reason = reason.replace(words, shorter)
    return f"expected {reason}, got {shown(value)}"


def shape_faults(error: ValidationError, root: type[BaseModel]) -> list[tuple[Parts, str]]:
    """Path and message of each fault, in the order of the file's fields; one message per path."""
    faults: dict[Parts, list[str]] = {}
    for record in error.errors(include_url=False):
        parts = tuple(part for part in record["loc"] if not str(part).startswith("<"))
        # A union of plain types reports each branch under its type's name.
        if parts and str(parts[-1]) in ("str", "int", "float", "bool", "dict[str,any]", "[key]"):
            parts = parts[:-1]
        faults.setdefault(parts, []).append(_message(record, parts, root))
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
