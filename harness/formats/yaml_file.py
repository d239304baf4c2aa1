"""A YAML file as plain values with the line and column of every key.

Read as YAML 1.2 reads it: `no` and `12:30` are texts, not false and 750. Duplicate keys are faults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.formats.faults import field_path
from harness.formats.findings import Finding
from harness.formats.source_files import read_text

Parts = tuple[str | int, ...]
MOST_NODES = 100_000
DEEPEST = 40
EMPTY = "is empty; begin it with `schema: 1`"

_SCALARS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), "~nN\0"),
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
        "-+0123456789.",
    ),
)


class _Loader(yaml.SafeLoader):
    """Only null, true, false and decimal numbers are more than text."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_tag, _pattern, [("" if mark == "\0" else mark) for mark in _first])


@dataclass(slots=True)
class YamlFile:
    """Values with their places.

    Args:
        value: What the file says; None where it could not be read.
        places: Line and column (1-based) of each key and list entry, by path.
        findings: What is wrong with its text.
        raw: The text of each scalar as written, by path (`2026.10` is not 2026.1).
    """

    value: Any = None
    places: dict[Parts, tuple[int, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    raw: dict[Parts, str] = field(default_factory=dict)

    def place(self, parts: Parts) -> tuple[int | None, int | None]:
        """Where a path stands, or the nearest thing around it that does."""
        while parts and parts not in self.places:
            parts = parts[:-1]
        return self.places.get(parts, (None, None))


class _TooBig(Exception):
    """The file unfolds beyond what anyone writes (anchors that repeat anchors)."""


class _Builder:
    """Turns composed nodes into values; holds the count of nodes seen."""

    def __init__(self, file: YamlFile, loader: _Loader, path: str) -> None:
        self.file, self.loader, self.path, self.count = file, loader, path, 0

    def build(self, node: yaml.Node, parts: Parts) -> Any:
        self.count += 1
        if self.count > MOST_NODES or len(parts) > DEEPEST:
            raise _TooBig
        self.file.places.setdefault(parts, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, parts)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*parts, index)) for index, child in enumerate(node.value)]
        self.file.raw[parts] = node.value
        return self.loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, parts: Parts) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault("expected a key that is text", line, column, parts)
                continue
            key = str(key_node.value)
            if key in record:
                first = self.file.places[(*parts, key)][0]
                message = f"key '{key}' stands twice (lines {first} and {line}); keep one"
                self._fault(message, line, column, parts)
                continue
            self.file.places[(*parts, key)] = (line, column)
            record[key] = self.build(value_node, (*parts, key))
        return record

    def _fault(self, message: str, line: int, column: int, parts: Parts) -> None:
        self.file.findings.append(Finding(message, self.path, line, column, field_path(parts) or None))


def read_yaml(path: Path) -> YamlFile:
    """The file's values with their places; faults are collected, not raised."""
    file = YamlFile()
    text, file.findings = read_text(path)
    if not text:
        if not file.findings:
            file.findings.append(Finding(EMPTY, str(path)))
        return file
    try:
        _read_into(file, text, str(path))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        reason = ", ".join(text for text in (error.problem, error.context) if text)
        file.findings.append(Finding(f"is not valid YAML: {reason}", str(path), line, column))
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        message = f"holds the control character U+{ord(text[error.position]):04X}; remove it"
        file.findings.append(Finding(message, str(path), line))
    except ValueError as error:  # a scalar that its tag does not fit, such as `!!int x`
        file.findings.append(Finding(f"is not valid YAML: {error}", str(path)))
    except (_TooBig, RecursionError):
        message = f"unfolds to more than {MOST_NODES} values or {DEEPEST} levels; write it without anchors"
        file.findings.append(Finding(message, str(path)))
    if file.value is None and not file.findings:
        file.findings.append(Finding(EMPTY, str(path)))
    return file


def _read_into(file: YamlFile, text: str, path: str) -> None:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            file.value = _Builder(file, loader, path).build(node, ())
    finally:
        loader.dispose()
