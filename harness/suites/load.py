"""Loads a suite by its shipped name or its folder."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import SuiteError
from harness.formats.findings import Finding, errors_only, raise_findings
from harness.suites.examine import examine
from harness.suites.shipped import locate
from harness.suites.suite import Suite
from harness.transforms.plan import build_variants

CARD = "CARD.md"


def load_suite(name_or_path: str | Path) -> Suite:
    """The suite of a shipped name or of a folder, wholly checked.

    Raises:
        UnknownName: If there is neither.
        SuiteError: If a file is wrong: the first fault leads, up to ten are listed.

    Example:
        >>> load_suite("key-info-position").primary
        'exact_match'
    """
    suite, findings = examine(locate(name_or_path))
    if suite is None:
        raise_findings(errors_only(findings), SuiteError)
    return suite


def validate_suite(name_or_path: str | Path) -> list[Finding]:
    """Every fault of a suite's files, warnings included; empty where all is well.

    It goes further than loading: the plan is tried on the items, and the card must be there. Warnings (no card, a
    byte-order mark) do not keep a suite from being loaded.

    Raises:
        UnknownName: If there is no such suite.
    """
    folder = locate(name_or_path)
    suite, findings = examine(folder)
    card = folder / CARD
    if not card.is_file() or not card.read_bytes().strip():
        message = "is missing; write down purpose, source, licence, size and known limits"
        findings.append(Finding(message, str(card), severity="warning"))
    if suite is not None:
        findings += _idle_transforms(suite, folder)
    return findings


def _idle_transforms(suite: Suite, folder: Path) -> list[Finding]:
    """Entries of the plan that make nothing of any item; building the suite would stop at the first."""
    built = build_variants(suite.items, suite.plan, seed=0, allow_unchanged=True)
    made = {variant.transform for variant in built.variants}
    findings = []
    for index, chain in enumerate(suite.plan.steps):
        name = " > ".join(step.name for step in chain)
        if name not in made:
            reasons = sorted({entry.reason for entry in built.rejected if entry.transform == name})
            why = f": {'; '.join(reasons[:3])}" if reasons else ""
            findings.append(
                Finding(
                    f"'{name}' makes no variant of any item{why}",
                    str(folder / "suite.yaml"),
                    field=f"variants[{index}]",
                )
            )
    return findings
