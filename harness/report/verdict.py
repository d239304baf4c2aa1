"""A verdict for people (terminal, Markdown) and for CI (JUnit)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Literal
from xml.etree import ElementTree

from rich.text import Text

from harness.core.visible import visible
from harness.gating import Judgement, Verdict
from harness.report.numbers import (
    STATUS_MARKS,
    STATUS_STYLES,
    effect_text,
    interval_text,
    scored_text,
    value_text,
)
from harness.report.terminal import console, table

_MARKUP = re.compile(r"[\\`*_\[\]|#~]")
_SEVERITY = ("fail", "inconclusive", "pass")
JunitKind = Literal["failure", "error", "skipped"]
MDE_NOTE = "MDE: smallest loss found with 80 % power if 10 % / 20 % of the answers differ between the two checkpoints."


def detectable_text(judgement: Judgement) -> str:
    """The minimum detectable effect at each assumed discordance, or "-".

    It says what the suite could have found, whatever it did find.
    """
    parts = [f"{effect:.3f}" if effect is not None else "none" for _, effect in judgement.detectable]
    return " / ".join(parts) or "-"


def show_verdict(verdict: Verdict, *, store: str) -> None:
    """Print the verdict, every rule, and the command that shows more."""
    out = console()
    named = ", ".join(f"{name} ({run_id})" for run_id, name in verdict.candidate)
    against = ", ".join(f"{name} ({run_id})" for run_id, name in verdict.baseline)
    out.print(f"candidate {named}\nbaseline  {against}")
    told, quiet = _told_and_quiet(verdict.judgements)
    rows = table(
        "", "rule", "baseline", "candidate", "difference", "95 % interval", "margin", "scored", "items", "MDE",
        right=("baseline", "candidate", "difference", "margin", "scored", "items", "MDE"),
    )  # fmt: skip
    for judgement in told:
        effect = judgement.effect
        rows.add_row(
            Text(STATUS_MARKS[judgement.status], style=STATUS_STYLES[judgement.status]),
            judgement.title + ("" if judgement.is_blocking else " (advisory)"),
            value_text(effect.baseline), value_text(effect.candidate), effect_text(effect.effect),
            interval_text(effect.low, effect.high), value_text(judgement.margin),
            scored_text(effect.n_scored, effect.n), str(effect.n_items), detectable_text(judgement),
        )  # fmt: skip
    if verdict.judgements:
        out.print(rows)
        if quiet:
            mark = Text(STATUS_MARKS["pass"], style=STATUS_STYLES["pass"])
            out.print(mark, f"and {quiet} rules on rates of unreadable, absent or failed answers.")
        out.print(MDE_NOTE)
    for difference in verdict.differences:
        if difference.excluded or difference.kind not in ("version", "note"):
            out.print(f"! {difference.suite or 'all suites'}: {difference.message}")
    for judgement in told:
        if judgement.status != "pass":
            needed = f" About {judgement.items_needed:,} items would do." if judgement.items_needed else ""
            out.print(f"{STATUS_MARKS[judgement.status]} {judgement.title}: {judgement.reason}{needed}")
    out.print(Text(f"{verdict.status.upper()}", style=STATUS_STYLES[verdict.status]), verdict.reason)
    if verdict.judgements and verdict.status != "pass":
        first, second, place = verdict.baseline[0][0], verdict.candidate[0][0], shlex.quote(store)
        out.print(
            f"Next: harness compare {first} {second} --store {place}   or   harness dashboard --store {place}"
        )


def _told_and_quiet(judgements: Sequence[Judgement]) -> tuple[list[Judgement], int]:
    """The rules worth a line, worst first, and how many passing rules on rates of answers are left out."""
    quiet = [
        judgement
        for judgement in judgements
        if judgement.status == "pass" and judgement.effect.metric.endswith("_rate")
    ]
    told = [judgement for judgement in judgements if judgement not in quiet]
    return sorted(told, key=lambda judgement: _SEVERITY.index(judgement.status)), len(quiet)


def verdict_markdown(verdict: Verdict) -> str:
    """A summary for a pull request or a CI step."""
    lines = [
        f"## {STATUS_MARKS[verdict.status]} {verdict.status.upper()}",
        "",
        _cell(verdict.reason),
        "",
        f"Candidate {_names(verdict.candidate)} against baseline {_names(verdict.baseline)}, alpha {verdict.alpha:g}.",
        "",
    ]
    if verdict.judgements:
        lines += [
            "| | rule | baseline | candidate | difference | 95 % interval | margin | scored | items | MDE |",
            "|---|---|---:|---:|---:|---|---:|---:|---:|---|",
        ]
    for judgement in verdict.judgements:
        effect = judgement.effect
        cells = (
            STATUS_MARKS[judgement.status], judgement.title + ("" if judgement.is_blocking else " (advisory)"),
            value_text(effect.baseline), value_text(effect.candidate), effect_text(effect.effect),
            interval_text(effect.low, effect.high), value_text(judgement.margin),
            scored_text(effect.n_scored, effect.n), str(effect.n_items), detectable_text(judgement),
        )  # fmt: skip
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    if verdict.judgements:
        lines += ["", MDE_NOTE]
    notes = [difference for difference in verdict.differences if difference.excluded]
    if notes:
        lines += ["", "Left out:", ""]
        lines += [f"- {_cell(note.suite or 'all suites')}: {_cell(note.message)}" for note in notes]
    return "\n".join(lines) + "\n"


def _names(side: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{_cell(name)} (`{run_id}`)" for run_id, name in side)


def _cell(text: str) -> str:
    """Text on one line that cannot leave its table cell or become markup, a link, a mention or an image."""
    return _MARKUP.sub(r"\\\g<0>", visible(text).replace("\n", " ").replace("<", "&lt;")).replace(
        "@", "&#64;"
    )


def verdict_junit(verdict: Verdict) -> str:
    """JUnit XML: one test a rule; an inconclusive rule is an error unless the policy only warns, then skipped."""
    kinds: list[JunitKind | None] = [
        _kind(judgement, warns_only=verdict.warns_only) for judgement in verdict.judgements
    ]
    if not verdict.judgements:
        kinds = ["skipped" if verdict.warns_only else "error"]
    suite = ElementTree.Element(
        "testsuite",
        name="harness gate",
        tests=str(len(kinds)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
    )
    for judgement, kind in zip(verdict.judgements, kinds, strict=False):
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name=_xml_text(judgement.title))
        _add_outcome(case, kind, judgement.reason)
        text = f"{judgement.reason}\n{judgement.effect.method}"
        ElementTree.SubElement(case, "system-out").text = _xml_text(text)
    if not verdict.judgements:
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name="comparison")
        _add_outcome(case, kinds[0], verdict.reason)
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _kind(judgement: Judgement, *, warns_only: bool) -> JunitKind | None:
    if judgement.status == "pass":
        return None
    if not judgement.is_blocking or (warns_only and judgement.status == "inconclusive"):
        return "skipped"
    return "failure" if judgement.status == "fail" else "error"


def _add_outcome(case: ElementTree.Element, kind: JunitKind | None, reason: str) -> None:
    if kind is None:
        return
    outcome = ElementTree.SubElement(case, kind, message=_xml_text(reason))
    if kind != "skipped":
        outcome.set("type", "regression" if kind == "failure" else "inconclusive")


def _xml_text(text: str) -> str:
    """Without the characters that XML 1.0 forbids."""
    return "".join(
        c
        for c in text
        if c in "\t\n" or 0x20 <= ord(c) <= 0xD7FF or 0xE000 <= ord(c) <= 0xFFFD or ord(c) > 0xFFFF
    )
