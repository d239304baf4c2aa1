"""A run's robustness as tables for people and as JSON for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from harness.report.numbers import scored_text, value_text
from harness.report.terminal import console, table
from harness.robustness.measured import Line
from harness.robustness.suite_robustness import Group, RunRobustness


def robustness_json(found: RunRobustness) -> dict[str, Any]:
    """Every measure with its interval and counts."""
    return {
        "run_id": found.run_id,
        "checkpoint": found.checkpoint,
        "groups": [asdict(group) for group in found.groups],
        "left_out": [{"suite": suite, "reason": reason} for suite, reason in found.left_out],
    }


def show_robustness(found: RunRobustness) -> None:
    """Print a table for each suite and group, and what was left out."""
    out = console()
    out.print(f"Robustness of run {found.run_id} · {found.checkpoint}")
    for group in found.groups:
        rows = table(
            "measure", "at", "value", "95 % interval", "scored", "items", "beside",
            title=_title(group), right=("value", "scored", "items"),
        )  # fmt: skip
        for line in group.lines:
            rows.add_row(
                line.measure,
                line.step or "",
                value_text(line.estimate.value),
                _interval(line),
                scored_text(line.estimate.n_scored, line.estimate.n),
                str(line.estimate.n_items),
                line.note or "",
            )
        out.print(rows)
    for suite, reason in found.left_out:
        out.print(f"{suite}: nothing measured, {reason}.")
    out.print(
        "drop, _rate and _sensitivity: lower is steadier. Intervals are clustered by source item; a bare spread says "
        "nothing without its noise."
    )


def _title(group: Group) -> str:
    name = f"{group.family} (all)" if group.transform is None else f"{group.family}: {group.transform}"
    return f"{group.suite} · {group.metric} · {name} · {group.n_variants} variants of {group.n_items} items"


def _interval(line: Line) -> str:
    estimate = line.estimate
    if estimate.low is None or estimate.high is None:
        return "[no interval]"
    return f"[{value_text(estimate.low)}, {value_text(estimate.high)}]"
