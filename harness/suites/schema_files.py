"""The published JSON Schemas of suite.yaml and of a line of items.jsonl, made from the shapes.

`python -m harness.suites.schema_files` writes them anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from harness.formats import json_schema as of_shape
from harness.suites.item_shape import ItemRecord
from harness.suites.suite_shape import SuiteRecord

FOLDER = Path(__file__).with_name("schema")
SHAPES: dict[str, type[BaseModel]] = {"suite": SuiteRecord, "item": ItemRecord}


def json_schema(name: str) -> dict[str, Any]:
    """The schema of "suite" (suite.yaml) or "item" (a line of items.jsonl).

    Example:
        >>> json_schema("item")["required"]
        ['language', 'prompt']
    """
    return of_shape.json_schema(SHAPES[name])


def schema_path(name: str) -> Path:
    """Where the schema of that name is published."""
    return FOLDER / f"{name}.schema.json"


def schema_text(name: str) -> str:
    """The schema as its file holds it."""
    return of_shape.schema_text(SHAPES[name])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for _name in SHAPES:
        schema_path(_name).write_text(schema_text(_name), encoding="utf-8")
