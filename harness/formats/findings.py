"""One fault found in a file that people write, and how several become one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from harness.core.errors import FileError

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a file.

    Args:
        message: What is wrong, with the value, what was expected and the remedy.
        path: The file.
        line: 1-based line, where known.
        column: 1-based column, where known.
        field: Dotted path of the field inside the record, e.g. "prompt.labels[1].names".
        severity: A file with an error is not used; a warning is only told.
    """

    message: str
    path: str
    line: int | None = None
    column: int | None = None
    field: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return str(_as_error(FileError, self, self.message))


def _as_error(kind: type[FileError], finding: Finding, message: str) -> FileError:
    return kind(message, path=finding.path, line=finding.line, column=finding.column, field=finding.field)


def errors_only(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that keep a file from being used."""
    return [finding for finding in findings if finding.severity == "error"]


def raise_findings(findings: Sequence[Finding], kind: type[FileError]) -> NoReturn:
    """Raises one error that leads with the first finding and lists the next ones.

    Example:
        >>> found = [Finding("no rules", "gate.yaml"), Finding("bad level", "gate.yaml", line=2)]
        >>> raise_findings(found, FileError)
        Traceback (most recent call last):
        harness.core.errors.FileError: gate.yaml: no rules
          also gate.yaml:2: bad level
    """
    first, *others = findings
    lines = [first.message]
    lines += [f"  also {finding}" for finding in others[: MOST_SHOWN - 1]]
    left = len(others) - (MOST_SHOWN - 1)
    if left > 0:
        lines.append(f"  and {left} more")
    raise _as_error(kind, first, "\n".join(lines))
