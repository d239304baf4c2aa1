"""Baselines for people: where each points, since when, by whom, why, and what came before."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from harness.core.errors import RunNotFound
from harness.core.naming import unknown_name
from harness.report.terminal import console, table
from harness.store import Promotion, Store


def baseline_names(store: Store) -> list[str]:
    """Names that stand for baselines and point at a run now."""
    return [name for name in sorted(store.names()) if store.is_baseline(name)]


def baseline_json(store: Store, name: str, *, now: datetime) -> dict[str, Any]:
    """One baseline: its last change, its checkpoint and its age in days.

    Raises:
        UnknownName: If nothing has this name.
    """
    known = store.names()
    if name not in known:
        raise unknown_name("baseline", name, known)
    change = next(change for change in reversed(store.promotions()) if change.name == name)
    age = now - datetime.fromisoformat(change.at)
    return asdict(change) | {"checkpoint": _checkpoint(store, known[name]), "age_days": age.days}


def _checkpoint(store: Store, run_id: str) -> str | None:
    """The checkpoint's name; None where the run was removed by hand."""
    try:
        return store.run(run_id).manifest.checkpoint.name
    except RunNotFound:
        return None


def show_baseline(store: Store, name: str) -> None:
    """Print one baseline."""
    out = console()
    found = baseline_json(store, name, now=datetime.now(UTC))
    out.print(f"{name} -> {found['run_id']}  {found['checkpoint'] or '(its run is gone from the store)'}")
    out.print(f"since {found['at']} ({found['age_days']} days), by {found['author']}: {found['reason']}")
    if found["verdict"] is not None:
        out.print(f"verdict {found['verdict']} against {found['previous']}, by {found['policy']}")


def history_of(store: Store, name: str | None) -> list[Promotion]:
    """Changes of one name, or of every baseline's, the newest first."""
    changes = reversed(store.promotions())
    if name is not None:
        return [change for change in changes if change.name == name]
    return [change for change in changes if store.is_baseline(change.name)]


def show_history(changes: list[Promotion]) -> None:
    """Print changes as a table."""
    rows = table("at", "baseline", "run", "before", "verdict", "by", "reason")
    for change in changes:
        rows.add_row(
            change.at, change.name, change.run_id or "(taken away)", change.previous or "-", change.verdict or "-",
            change.author, change.reason,
        )  # fmt: skip
    console().print(rows)
