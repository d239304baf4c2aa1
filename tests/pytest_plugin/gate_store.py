"""A store for the plugin's tests: a baseline, an equal candidate, a worse one, and one with too few items."""

from __future__ import annotations

from pathlib import Path

from harness.store import Store, open_store
from tests.evaluation.made_suites import good, run_of, suite, wrong_on

SUITES = ("letters", "short")


def make_store(folder: Path) -> Store:
    """Runs named production, same, worse (wrong on about a fifth of what production has right) and few, tiny."""
    store = open_store(folder, create=True)
    own = [
        suite("letters", 160, languages=("en", "zh"), plan=[{"typo": {"severity": 0.1}}]),
        suite("short", 160, first=1000, task="short_answer"),
    ]
    small = [suite("letters", 12, first=5000)]
    for name, run in {
        "production": run_of(good("base"), own, store),
        "same": run_of(good("same"), own, store),
        "worse": run_of(wrong_on(0.2), own, store),
        "few": run_of(good("few"), small, store),
        "tiny": run_of(good("tiny"), small, store),
    }.items():
        store.set_name(name, run.run_id, reason="made for a test", author="test")
    return store
