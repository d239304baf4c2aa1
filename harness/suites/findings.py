"""One fault found in a suite's files, and how several become one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from harness.core.errors import SuiteError

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a file of a suite.

    Args:
        message: What is wrong, with the value, what was expected and the remedy.
        path: The file.
        line: 1-based line, where known.
        column: 1-based column, where known.
        field: Dotted path of the field inside the record, e.g. "prompt.labels[1].names".
        severity: A suite with an error is not loaded; a warning is only told.
    """

    message: str
    path: str
    line: int | None = None
    column: int | None = None
    field: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return str(_as_error(self, self.message))


def _as_error(finding: Finding, message: str) -> SuiteError:
    return SuiteError(
        message, path=finding.path, line=finding.line, column=finding.column, field=finding.field
    )


def errors_only(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that keep a suite from being loaded."""
    return [finding for finding in findings if finding.severity == "error"]


def raise_findings(findings: Sequence[Finding]) -> NoReturn:
    """Raises one error that leads with the first finding and lists the next ones.

    Example:
        >>> raise_findings([Finding("no items", "items.jsonl"), Finding("bad name", "suite.yaml", line=2)])
        Traceback (most recent call last):
        harness.core.errors.SuiteError: items.jsonl: no items
          also suite.yaml:2: bad name
    """
    first, *others = findings
    lines = [first.message]
    lines += [f"  also {finding}" for finding in others[: MOST_SHOWN - 1]]
    left = len(others) - (MOST_SHOWN - 1)
    if left > 0:
        lines.append(f"  and {left} more")
    raise _as_error(first, "\n".join(lines))


def field_path(parts: Sequence[str | int]) -> str:
    """Keys and indices as people write them.

    Example:
        >>> field_path(["prompt", "labels", 1, "names"])
        'prompt.labels[1].names'
    """
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: object, *, limit: int = 60) -> str:
    """A value as it may stand in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
