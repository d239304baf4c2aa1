"""The published schema of a recipe: current, and true of what the reader takes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness.core.errors import RecipeError
from harness.finetune import recipe_from_json
from harness.finetune.schema_file import SCHEMA, recipe_schema_text
from harness.formats.yaml_file import read_yaml

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "recipe.yaml"


def test_the_published_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == recipe_schema_text()


def test_the_example_fits_the_published_schema() -> None:
    value = read_yaml(EXAMPLE).value
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(value)


def test_an_unknown_key_is_refused_by_the_schema_and_by_the_reader() -> None:
    value = {
        "schema": 1,
        "base": "b",
        "data": [{"path": "x.jsonl"}],
        "stages": [{"method": "full", "stepz": 3}],
    }
    with pytest.raises(jsonschema.ValidationError, match="stepz"):
        jsonschema.validate(value, json.loads(SCHEMA.read_text(encoding="utf-8")))
    with pytest.raises(RecipeError, match="stepz.*Did you mean 'steps'"):
        recipe_from_json(value)
