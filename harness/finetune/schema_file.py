"""The published JSON Schema of a recipe, made from its shape.

`python -m harness.finetune.schema_file` writes it anew.
"""

from __future__ import annotations

from pathlib import Path

from harness.finetune.shape import RecipeShape
from harness.formats.json_schema import schema_text

SCHEMA = Path(__file__).parent / "schema" / "recipe.schema.json"


def recipe_schema_text() -> str:
    """The schema as its file holds it."""
    return schema_text(RecipeShape)


if __name__ == "__main__":
    SCHEMA.parent.mkdir(exist_ok=True)
    SCHEMA.write_text(recipe_schema_text(), encoding="utf-8")
