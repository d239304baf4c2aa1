"""The demo's ending: each candidate's verdict, and the one picture that a plain test set does not show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.gating import Judgement, Verdict
from harness.report.numbers import STATUS_MARKS, value_text
from harness.report.terminal import console, table
from harness.report.verdict import show_verdict


def story_json(verdicts: Mapping[str, Verdict], *, seconds: float) -> dict[str, Any]:
    """Verdicts by candidate, and the seconds the demo took."""
    return {
        "seconds": round(seconds, 1),
        "verdicts": {name: verdict.to_json() for name, verdict in verdicts.items()},
    }


def show_story(verdicts: Mapping[str, Verdict], *, store: str, seconds: float) -> None:
    """Print each verdict, then the scores by position side by side."""
    out = console()
    for name, verdict in verdicts.items():
        out.rule(f"{name} against base", align="left")
        show_verdict(verdict, store=store)
    _show_positions(verdicts)
    out.print()
    for name, verdict in verdicts.items():
        out.print(f"{STATUS_MARKS[verdict.status]} {name}: {verdict.status}. {verdict.reason}")
    out.print(f"{seconds:.0f} s. Look at it: harness dashboard --store {store}")


def _at_positions(verdict: Verdict) -> dict[float, Judgement]:
    """The judgements of single positions, by position."""
    return {
        judgement.effect.slice.position: judgement
        for judgement in verdict.judgements
        if judgement.effect.slice.position is not None
    }


def _show_positions(verdicts: Mapping[str, Verdict]) -> None:
    """One row a checkpoint, one column a position of the key fact, 0 first to 1 last."""
    found = {name: _at_positions(verdict) for name, verdict in verdicts.items()}
    positions = sorted({position for judgements in found.values() for position in judgements})
    if not positions:
        return
    columns = [f"{position:g}" for position in positions]
    rows = table("exact match, key fact at", *columns, right=columns)
    first = next(iter(found.values()))
    rows.add_row("base", *(value_text(first[position].effect.baseline) for position in positions))
    for name, judgements in found.items():
        rows.add_row(name, *(value_text(judgements[position].effect.candidate) for position in positions))
    console().print(rows)
