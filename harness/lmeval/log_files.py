"""The files that `lm_eval --log_samples` leaves, found and read; a fault names file, line, column and field."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import DataError

STAMP = re.compile(r"_(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?)$")
RERUN = "run lm_eval again with --log_samples and --output_path"


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """One results file: a run of lm-eval, of one model on some tasks.

    Args:
        path: Where it lies; its samples lie beside it.
        stamp: The time in its name, which the names of its samples repeat.
        content: The file.
    """

    path: Path
    stamp: str
    content: Mapping[str, Any]

    def samples_path(self, task: str) -> Path:
        """Where the samples of one of its tasks must lie."""
        return self.path.parent / f"samples_{task}_{self.stamp}.jsonl"

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks it has figures of, groups left out."""
        configs = self.content.get("configs")
        results = self.content["results"]
        return tuple(name for name in results if not isinstance(configs, Mapping) or name in configs)

    def part(self, name: str, task: str) -> Any:
        """What the file says of one task under one of its keys, or None."""
        part = self.content.get(name)
        return part.get(task) if isinstance(part, Mapping) else None


def results_files(place: Path) -> tuple[ResultsFile, ...]:
    """The results files of a folder and the folders in it, newest first; or the one file that is named.

    Raises:
        DataError: If there is none, or only some without the samples that a comparison of items needs.
    """
    if not place.exists():
        raise DataError("there is no such file or folder; give the folder that lm_eval wrote", path=place)
    paths = [place] if place.is_file() else sorted(place.rglob("*.json"))
    found: list[ResultsFile] = []
    aggregate_only: list[Path] = []
    for path in paths:
        stamp = STAMP.search(path.stem)
        if stamp is None and not place.is_file() and path.name.startswith("."):
            continue
        content = read_json(path)
        if not isinstance(content, dict) or not isinstance(content.get("results"), dict):
            if place.is_file():
                raise DataError("expected an object with `results`, as lm_eval writes it", path=path)
            continue
        if stamp is None:
            aggregate_only.append(path)
        else:
            found.append(ResultsFile(path, stamp.group(1), content))
    if found:
        return tuple(sorted(found, key=lambda each: each.stamp, reverse=True))
    raise _nothing_found(place, aggregate_only)


def _nothing_found(place: Path, aggregate_only: list[Path]) -> DataError:
    if aggregate_only:
        several = f" and {len(aggregate_only) - 1} more" if len(aggregate_only) > 1 else ""
        return DataError(
            f"holds only lm-eval's aggregates{several}: without the answer to each document two models cannot be "
            f"compared item by item; {RERUN}",
            path=aggregate_only[0],
        )
    samples = [] if place.is_file() else sorted(place.rglob("samples_*.jsonl"))
    if samples:
        return DataError(
            "has no results file (results_<time>.json) beside it, which says how the task was asked; copy that too",
            path=samples[0],
        )
    return DataError(f"holds no lm_eval output (results_<time>.json, samples_*.jsonl); {RERUN}", path=place)


def read_json(path: Path) -> Any:
    """A JSON file's content.

    Raises:
        DataError: With line and column.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
    return _parsed(_decoded(raw, path, first_line=1), path, first_line=1)


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with their line numbers; empty lines are passed over.

    Raises:
        DataError: With line and column.
    """
    try:
        with path.open("rb") as lines:
            for number, raw in enumerate(lines, start=1):
                line = _decoded(raw, path, first_line=number)
                if line.strip():
                    record = _parsed(line, path, first_line=number)
                    if not isinstance(record, dict):
                        raise DataError(f"expected an object, got {_kind(record)}", path=path, line=number)
                    yield number, record
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decoded(raw: bytes, path: Path, *, first_line: int) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = first_line + raw[: error.start].count(b"\n")
        raise DataError("not UTF-8: save the file as UTF-8", path=path, line=line) from error


def _parsed(text: str, path: Path, *, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise DataError(f"not JSON: {error.msg}", path=path, line=line, column=error.colno) from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"cannot be read as JSON: {error}", path=path, line=first_line) from error


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def expected(
    record: Mapping[str, Any], name: str, kinds: type | tuple[type, ...], place: tuple[Path, int]
) -> Any:
    """A field of a line that must be there and of one of the kinds.

    Raises:
        DataError: With file, line and field.
    """
    path, line = place
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    words = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}
    shown = " or ".join(words[kind] for kind in wanted)
    if name not in record:
        raise DataError(f"missing; a line of samples needs it, as {shown}", path=path, line=line, field=name)
    value = record[name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise DataError(f"expected {shown}, got {_kind(value)}", path=path, line=line, field=name)
    return value
