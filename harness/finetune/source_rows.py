"""Records of a training file with their places: JSON lines, or one JSON list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import DataError
from harness.formats.findings import Finding, errors_only, raise_findings
from harness.formats.json_lines import read_json_lines
from harness.formats.source_files import read_text


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file.

    Args:
        value: What it says.
        line: Its 1-based line; None in a JSON list.
        index: Its 0-based place among the file's rows.
    """

    value: dict[str, Any]
    line: int | None
    index: int


def read_records(path: Path) -> list[Record]:
    """The rows of a file.

    Raises:
        DataError: With file, line and column of the first fault; also for a file without rows.
    """
    records = _json_list(path) if path.suffix == ".json" else _json_lines(path)
    if not records:
        raise DataError("holds no rows; put one JSON object on each line", path=path)
    return records


def _json_lines(path: Path) -> list[Record]:
    lines, findings = read_json_lines(path)
    if errors := errors_only(findings):
        raise_findings(errors, DataError)
    return [Record(line.value, line.number, index) for index, line in enumerate(lines)]


def _json_list(path: Path) -> list[Record]:
    text, findings = read_text(path)
    if errors := errors_only(findings):
        raise_findings(errors, DataError)
    try:
        value = json.loads(text) if text.strip() else []
    except json.JSONDecodeError as error:
        hint = "; a file with one object a line is called .jsonl" if error.msg == "Extra data" else ""
        raise DataError(
            f"is not JSON: {error.msg}{hint}", path=path, line=error.lineno, column=error.colno
        ) from error
    except RecursionError as error:
        raise DataError("is nested too deeply", path=path) from error
    if not isinstance(value, list):
        raise DataError(f"expected a list of rows, got {type(value).__name__}", path=path, line=1)
    faults = [
        Finding(f"expected an object, got {type(row).__name__}", str(path), field=f"[{index}]")
        for index, row in enumerate(value)
        if not isinstance(row, dict)
    ]
    if faults:
        raise_findings(faults, DataError)
    return [Record(row, None, index) for index, row in enumerate(value)]
