"""A file that people write as strict UTF-8 text."""

from __future__ import annotations

from pathlib import Path

from harness.formats.findings import Finding

BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path) -> tuple[str, list[Finding]]:
    """The text of a file, and what is wrong with its bytes; the text is "" where it cannot be read."""
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "", [Finding(f"there is no file '{path.name}' in {path.parent}; add it", name)]
    except OSError as error:
        return "", [Finding(f"cannot be read: {error.strerror or error}", name)]
    findings = []
    if data.startswith(UTF16_BOMS):
        return "", [Finding("is UTF-16, expected UTF-8; save it as UTF-8", name, line=1)]
    if data.startswith(BOM):
        data = data.removeprefix(BOM)
        message = "begins with a byte-order mark; save it as UTF-8 without one"
        findings.append(Finding(message, name, line=1, severity="warning"))
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return "", [*findings, Finding("holds a NUL byte; remove it", name, line=line)]
    try:
        return data.decode("utf-8"), findings
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"is not UTF-8: byte 0x{data[error.start]:02x}; save it as UTF-8"
        return "", [*findings, Finding(message, name, line=line, column=column)]
