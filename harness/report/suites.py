"""Suites for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.report.terminal import console, table
from harness.suites import SuiteSummary


def suites_json(found: Sequence[SuiteSummary]) -> list[dict[str, Any]]:
    """The shipped suites, JSON-able."""
    return [json.loads(json.dumps(asdict(summary), default=str)) for summary in found]


def show_suites(found: Sequence[SuiteSummary]) -> None:
    """Print name, shape, size and summary of each."""
    rows = table("suite", "task", "languages", "items", "summary", right=("items",))
    for summary in found:
        rows.add_row(
            summary.name, summary.task, ", ".join(summary.languages), str(summary.n_items), summary.summary
        )
    console().print(rows)
    console().print("Next: harness suites show NAME   or   harness run CHECKPOINT --suite NAME")


def show_suite(described: Mapping[str, Any]) -> None:
    """Print what is known of one suite, nested records indented."""
    out = console()
    for name, value in described.items():
        if isinstance(value, (dict, list)):
            text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
            out.print(f"{name}:\n  " + text.replace("\n", "\n  "))
        else:
            out.print(f"{name}: {value}")
