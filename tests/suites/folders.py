"""Small suite folders for the tests: a right one, to be made wrong in one place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HEADER = """\
schema: 1
name: tiny
version: 2026.1
summary: Two questions.
licence: Apache-2.0
languages: [en, zh]
task: short_answer
metrics: [exact_match]
primary: exact_match
"""
ITEMS: tuple[dict[str, Any], ...] = (
    {"language": "en", "prompt": {"question": "How many days has a week?"}, "target": {"answers": ["7"]}},
    {"language": "zh", "prompt": {"question": "一年有几个月？"}, "target": {"answers": ["12"]}},
)


def write_folder(
    folder: Path,
    *,
    header: str = HEADER,
    items: tuple[dict[str, Any], ...] | str | bytes = ITEMS,
    card: bool = True,
) -> Path:
    """Writes a suite's files; items may be records, or the file's text or bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(header, encoding="utf-8")
    if isinstance(items, tuple):
        items = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    data = items.encode("utf-8") if isinstance(items, str) else items
    (folder / "items.jsonl").write_bytes(data)
    if card:
        (folder / "CARD.md").write_text("# tiny\n", encoding="utf-8")
    return folder


def header_with(**fields: str) -> str:
    """The header with the lines of these keys replaced, or added; None-like "" takes a line out."""
    lines = [line for line in HEADER.splitlines() if line.split(":")[0] not in fields]
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in fields.items() if value)]) + "\n"
