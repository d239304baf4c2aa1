"""Writes a suite as a folder that loads as the same suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from harness.core.codec import item_to_json
from harness.core.errors import SuiteError
from harness.suites.load import CARD
from harness.suites.shipped import SUITE_FILE
from harness.suites.suite import Suite
from harness.transforms.plan import plan_to_json


def write_suite(path: str | Path, suite: Suite) -> Path:
    """The folder written: suite.yaml, items.jsonl and a card.

    Items are written whole: prompt defaults and drawn demonstrations stand in every line. The suite's card is
    copied.

    Args:
        path: A folder that is not there yet, or is empty.
        suite: What to write.

    Raises:
        SuiteError: If the folder holds files.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SuiteError("is not an empty folder; choose a new one", path=folder)
    folder.mkdir(parents=True, exist_ok=True)
    header = yaml.safe_dump(suite_to_json(suite), allow_unicode=True, sort_keys=False, width=110)
    (folder / SUITE_FILE).write_text(header, encoding="utf-8")
    lines = [json.dumps(item_to_json(item), ensure_ascii=False) for item in suite.items]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    card = None if suite.path is None else suite.path / CARD
    text = card.read_text(encoding="utf-8") if card is not None and card.is_file() else card_text(suite)
    (folder / CARD).write_text(text, encoding="utf-8")
    return folder


def suite_to_json(suite: Suite) -> dict[str, Any]:
    """suite.yaml as plain values, without the items."""
    asking = suite.asking
    record: dict[str, Any] = {
        "schema": 1,
        "name": suite.name,
        "version": suite.version,
        "summary": suite.summary,
        "licence": suite.licence,
        "languages": list(suite.languages),
        "task": asking.task,
        "metrics": list(suite.metrics),
        "primary": suite.primary,
        "generation": {
            "max_tokens": asking.generation.max_tokens,
            "stop": list(asking.generation.stop),
            "temperature": asking.generation.temperature,
            "top_p": asking.generation.top_p,
            "samples": asking.samples,
        },
    }
    if asking.task in ("multiple_choice", "classification"):
        reading = asking.reading
        record["read"] = {
            "by": reading.by,
            "normalise": reading.normalise,
            "show_options": reading.show_options,
        }
    if suite.labels:
        record["labels"] = list(suite.labels)
    return {**record, "variants": plan_to_json(suite.plan), "smoke": suite.smoke}


def card_text(suite: Suite) -> str:
    """A first card, to be completed by hand."""
    return (
        f"# {suite.name}\n\n{suite.summary}\n\n"
        f"- Source: not stated\n- Licence: {suite.licence}\n"
        f"- Size: {len(suite.items)} items, {', '.join(suite.languages)}\n- Known limits: not stated\n"
    )
