"""The JSON Schema of a file that people write, made from its shape, for editors and other tools."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """The schema of what a shape accepts, keys as they are written in the file."""
    return {"$schema": DIALECT, **shape.model_json_schema(by_alias=True)}


def schema_text(shape: type[BaseModel]) -> str:
    """The schema as its published file holds it: sorted, indented, ending in a newline."""
    return json.dumps(json_schema(shape), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
