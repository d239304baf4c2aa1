"""A JSONL file as records with their line numbers; every malformed line is told with its column."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.formats.findings import Finding
from harness.formats.source_files import read_text


@dataclass(frozen=True, slots=True)
class Line:
    """One record and where it stands."""

    number: int
    value: dict[str, Any]


class _Refused(ValueError):
    """Valid to Python's parser, but not to us."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for key, value in pairs:
        if key in record:
            raise _Refused(f"key '{key}' stands twice in one object; keep one")
        record[key] = value
    return record


def _no_constant(constant: str) -> Any:
    raise _Refused(f"{constant} is not JSON; write a number, or null where there is none")


def _bad_character(value: Any) -> str | None:
    """Why a text inside a value could not be shown to a model, or None."""
    if isinstance(value, str):
        if "\0" in value:
            return "a text holds \\u0000; remove it"
        if any("\ud800" <= mark <= "\udfff" for mark in value):
            return "a text holds half of a surrogate pair (\\ud800 to \\udfff); write the whole character"
        return None
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((reason for part in parts if (reason := _bad_character(part))), None)


def _parse(text: str, number: int, path: str) -> Line | Finding:
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        reason = _bad_character(value)
    except json.JSONDecodeError as error:
        hint = " (single quotes are not JSON)" if text[error.pos : error.pos + 1] == "'" else ""
        return Finding(f"is not JSON: {error.msg}{hint}", path, number, error.colno)
    except RecursionError:
        return Finding("is nested too deeply", path, number)
    except ValueError as error:  # ours, or a number with thousands of digits
        return Finding(str(error), path, number)
    if reason:
        return Finding(reason, path, number)
    if not isinstance(value, dict):
        return Finding(f"expected one JSON object a line, got {type(value).__name__}", path, number, 1)
    return Line(number, value)


def read_json_lines(path: Path) -> tuple[list[Line], list[Finding]]:
    """Records and faults; blank lines are skipped."""
    text, findings = read_text(path)
    lines = []
    # Not splitlines(): U+2028 and U+0085 may stand inside a JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        parsed = _parse(line, number, str(path))
        if isinstance(parsed, Finding):
            findings.append(parsed)
        else:
            lines.append(parsed)
    return lines, findings
