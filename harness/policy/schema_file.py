"""The published JSON Schema of a policy file, made from its shape.

`python -m harness.policy.schema_file` writes it anew.
"""

from __future__ import annotations

from pathlib import Path

from harness.formats.json_schema import schema_text
from harness.policy.shape import PolicyShape

SCHEMA = Path(__file__).parent / "schema" / "policy.schema.json"


def policy_schema_text() -> str:
    """The schema as its file holds it."""
    return schema_text(PolicyShape)


if __name__ == "__main__":
    SCHEMA.parent.mkdir(exist_ok=True)
    SCHEMA.write_text(policy_schema_text(), encoding="utf-8")
