"""What differs between two sides besides the checkpoint, and what of it keeps variants from being compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.core.rows import SuiteRecord
from harness.store import StoredRun

Kind = Literal[
    "strays",
    "prompt",
    "target",
    "template",
    "generation",
    "reading",
    "metric",
    "version",
    "note",
    "quarantine",
]
_NOTED = ("dtype", "seed", "limit", "smoke", "num_fewshot", "too_long", "renderer_version")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something besides the checkpoint that differs between two sides.

    Args:
        kind: What differs.
        suite: The suite it concerns, or None for all.
        message: For people, with the remedy.
        excluded: Variants left out of the comparison because of it.
    """

    kind: Kind
    suite: str | None
    message: str
    excluded: int = 0


def run_differences(baseline: Sequence[StoredRun], candidate: Sequence[StoredRun]) -> list[Difference]:
    """What differs between the runs as wholes: settings, dtype, library versions."""
    found = []
    for key in _NOTED:
        values = _unequal(baseline, candidate, lambda run, key=key: run.manifest.settings.get(key))  # type: ignore[misc]
        if values:
            found.append(Difference("note", None, f"{key} differs: {values}."))
    packages = {
        package for run in (*baseline, *candidate) for package in run.manifest.environment.get("versions", {})
    }
    for package in sorted(packages):
        values = _unequal(
            baseline,
            candidate,
            lambda run, package=package: run.manifest.environment.get("versions", {}).get(package),  # type: ignore[misc]
        )
        if values:
            found.append(Difference("version", None, f"{package} differs: {values}."))
    return found


def suite_differences(
    baseline: Sequence[StoredRun],
    candidate: Sequence[StoredRun],
    record: SuiteRecord,
    *,
    n_variants: int,
    ignore: frozenset[str],
) -> list[Difference]:
    """What makes a whole suite incomparable that every run asked.

    Args:
        record: The suite as one of the manifests names it.
        n_variants: Variants that would be compared otherwise.
        ignore: Kinds that are told but exclude nothing.
    """

    def asked(run: StoredRun, key: str) -> object:
        return _record(run, record.name).asking.get(key)

    checks: tuple[tuple[Kind, str, Callable[[StoredRun], object], str], ...] = (
        ("generation", "generation", lambda run: asked(run, "generation"), "run both alike"),
        ("generation", "samples", lambda run: asked(run, "samples"), "run both alike"),
        ("reading", "read", lambda run: asked(run, "read"), "rescore both alike"),
        (
            "reading",
            "scoring_version",
            lambda run: run.manifest.settings.get("scoring_version"),
            "rescore both with this version of the harness",
        ),
    )
    found = []
    if record.source == "suite" and _unequal(
        baseline, candidate, lambda run: run.manifest.settings.get("template")
    ):
        message = (
            "the chat template differs or is applied on one side only; run both with the same "
            "(--chat-template/--no-chat-template)."
        )
        found.append(Difference("template", record.name, message))
    for kind, key, value_of, remedy in checks:
        values = _unequal(baseline, candidate, value_of)
        if values:
            found.append(Difference(kind, record.name, f"{key} differs: {values}; {remedy}."))
    counted = [
        Difference(one.kind, one.suite, one.message, 0 if one.kind in ignore else n_variants) for one in found
    ]
    return counted + _metric_differences(baseline, candidate, record.name)


def _metric_differences(
    baseline: Sequence[StoredRun], candidate: Sequence[StoredRun], suite: str
) -> list[Difference]:
    """Metrics of one side only: they are not compared, and exclude no variant from the others."""
    names_b, names_c = (
        {fact.name for run in runs for fact in _record(run, suite).metrics} for runs in (baseline, candidate)
    )
    found = []
    for name, own in (("baseline", names_b - names_c), ("candidate", names_c - names_b)):
        if own:
            other = "candidate" if name == "baseline" else "baseline"
            message = (
                f"only the {name} has {', '.join(sorted(own))}; `harness rescore` the {other} to compare."
            )
            found.append(Difference("metric", suite, message))
    return found


def _record(run: StoredRun, suite: str) -> SuiteRecord:
    return next(record for record in run.manifest.suites if record.name == suite)


def _unequal(
    baseline: Sequence[StoredRun], candidate: Sequence[StoredRun], value_of: Callable[[StoredRun], object]
) -> str | None:
    """Who has which value, in words, where the runs differ; else None.

    A run is called by its side, with its id where the side has several.
    """
    holders: list[tuple[object, list[str]]] = []
    for name, runs in (("the baseline", baseline), ("the candidate", candidate)):
        for run in runs:
            who = name if len(runs) == 1 else f"{name} ({run.run_id})"
            value = value_of(run)
            same = next((named for held, named in holders if held == value), None)
            if same is None:
                holders.append((value, [who]))
            else:
                same.append(who)
    if len(holders) == 1:
        return None
    return ", ".join(f"{value} in {' and '.join(named)}" for value, named in holders)
