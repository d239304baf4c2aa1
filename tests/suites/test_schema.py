from __future__ import annotations

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from harness.suites import shipped_folder, suite_names
from harness.suites.schema_files import SHAPES, json_schema, schema_path, schema_text


@pytest.mark.parametrize("name", SHAPES)
def test_a_published_schema_is_current(name: str) -> None:
    expected = "run `python -m harness.suites.schema_files`"
    assert schema_path(name).read_text(encoding="utf-8") == schema_text(name), expected


@pytest.mark.parametrize("name", SHAPES)
def test_a_published_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json_schema(name))


@pytest.mark.parametrize("name", suite_names())
def test_every_shipped_suite_fits_the_published_schemas(name: str) -> None:
    folder = shipped_folder() / name
    header = yaml.safe_load((folder / "suite.yaml").read_text(encoding="utf-8"))
    header["version"] = str(header["version"])  # a version is read as written
    Draft202012Validator(json_schema("suite")).validate(header)
    validator = Draft202012Validator(json_schema("item"))
    for path in folder.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            validator.validate(json.loads(line))


@pytest.mark.parametrize(
    "item",
    [
        {"prompt": {"question": "?"}},
        {"language": "en", "prompt": {"question": "?"}, "target": {"label": "a", "option": 1}},
        {"language": "en", "prompt": {"question": "?", "choices": []}},
        {"language": "en", "prompt": {"question": "?"}, "target": {"option": -1}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(item: dict[str, object]) -> None:
    assert not Draft202012Validator(json_schema("item")).is_valid(item)
