"""A verdict for people (terminal, Markdown) and for CI (JUnit)."""

from __future__ import annotations

from xml.etree import ElementTree

from harness.gating import Judgement, Verdict
from harness.report.numbers import (
    STATUS_MARKS,
    STATUS_STYLES,
    effect_text,
    interval_text,
    p_text,
    scored_text,
    value_text,
)
from harness.report.terminal import console, table

MDE_NOTE = "MDE: smallest loss found with 80 % power if 10 % / 20 % of the answers differ between the two checkpoints."


def detectable_text(judgement: Judgement) -> str:
    """The minimum detectable effect at each assumed discordance, or "-".

    It says what the suite could have found, whatever it did find.
    """
    parts = [f"{effect:.3f}" if effect is not None else "none" for _, effect in judgement.detectable]
    return " / ".join(parts) or "-"


def show_verdict(verdict: Verdict, *, store: str) -> None:
    """Print the verdict, every rule, and the command that shows more."""
    from rich.text import Text

    out = console()
    named = ", ".join(f"{name} ({run_id})" for run_id, name in verdict.candidate)
    against = ", ".join(f"{name} ({run_id})" for run_id, name in verdict.baseline)
    out.print(f"candidate {named}\nbaseline  {against}")
    rows = table(
        "", "rule", "baseline", "candidate", "difference", "95 % interval", "margin", "harm p", "certify p", "scored",
        "items", "MDE",
        right=("baseline", "candidate", "difference", "margin", "harm p", "certify p", "scored", "items"),
    )  # fmt: skip
    for judgement in verdict.judgements:
        effect = judgement.effect
        rows.add_row(
            Text(STATUS_MARKS[judgement.status], style=STATUS_STYLES[judgement.status]),
            judgement.title + ("" if judgement.is_blocking else " (advisory)"),
            value_text(effect.baseline), value_text(effect.candidate), effect_text(effect.effect),
            interval_text(effect.low, effect.high), value_text(judgement.margin), p_text(judgement.harm_p),
            p_text(judgement.certify_p), scored_text(effect.n_scored, effect.n), str(effect.n_items),
            detectable_text(judgement),
        )  # fmt: skip
    if verdict.judgements:
        out.print(rows)
        out.print(MDE_NOTE)
    for difference in verdict.differences:
        if difference.excluded or difference.kind not in ("version", "note"):
            out.print(f"! {difference.suite or 'all suites'}: {difference.message}")
    for judgement in verdict.judgements:
        if judgement.status != "pass":
            needed = f" About {judgement.items_needed:,} items would do." if judgement.items_needed else ""
            out.print(f"{STATUS_MARKS[judgement.status]} {judgement.title}: {judgement.reason}{needed}")
    out.print(Text(f"{verdict.status.upper()}", style=STATUS_STYLES[verdict.status]), verdict.reason)
    if verdict.judgements and verdict.status != "pass":
        first, second = verdict.baseline[0][0], verdict.candidate[0][0]
        out.print(
            f"Next: harness compare {first} {second} --store {store}   or   harness dashboard --store {store}"
        )


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
        lines += ["", "Not comparable:", ""]
        lines += [f"- {_cell(note.suite or 'all suites')}: {_cell(note.message)}" for note in notes]
    return "\n".join(lines) + "\n"


def _names(side: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{_cell(name)} (`{run_id}`)" for run_id, name in side)


def _cell(text: str) -> str:
    """Text that cannot leave its table cell or become markup."""
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    return escaped.replace("`", "\\`").replace("[", "\\[") if "[" in escaped and "](" in escaped else escaped


def verdict_junit(verdict: Verdict) -> str:
    """JUnit XML: one test a rule; an inconclusive rule is an error unless the policy only warns, then skipped."""
    blocking = [judgement for judgement in verdict.judgements if judgement.is_blocking]
    suite = ElementTree.Element(
        "testsuite",
        name="harness gate",
        tests=str(len(verdict.judgements)),
        failures=str(sum(judgement.status == "fail" for judgement in blocking)),
        errors="0"
        if verdict.warns_only
        else str(sum(judgement.status == "inconclusive" for judgement in blocking)),
        skipped=str(_n_skipped(verdict)),
    )
    for judgement in verdict.judgements:
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name=judgement.title)
        _outcome(case, judgement, warns_only=verdict.warns_only)
        text = f"{judgement.reason}\n{judgement.effect.method}"
        ElementTree.SubElement(case, "system-out").text = _xml_text(text)
    if not verdict.judgements:
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name="comparison")
        suite.set("tests", "1")
        kind = "skipped" if verdict.warns_only else "error"
        suite.set("skipped" if verdict.warns_only else "errors", "1")
        ElementTree.SubElement(case, kind, message=_xml_text(verdict.reason))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _n_skipped(verdict: Verdict) -> int:
    return sum(
        judgement.status != "pass"
        and (not judgement.is_blocking or (verdict.warns_only and judgement.status != "fail"))
        for judgement in verdict.judgements
    )


def _outcome(case: ElementTree.Element, judgement: Judgement, *, warns_only: bool) -> None:
    if judgement.status == "pass":
        return
    message = _xml_text(judgement.reason)
    if not judgement.is_blocking or (warns_only and judgement.status == "inconclusive"):
        ElementTree.SubElement(case, "skipped", message=message)
    elif judgement.status == "fail":
        ElementTree.SubElement(case, "failure", message=message, type="regression")
    else:
        ElementTree.SubElement(case, "error", message=message, type="inconclusive")


def _xml_text(text: str) -> str:
    """Without the characters that XML 1.0 forbids."""
    return "".join(
        c
        for c in text
        if c in "\t\n" or 0x20 <= ord(c) <= 0xD7FF or 0xE000 <= ord(c) <= 0xFFFD or ord(c) > 0xFFFF
    )
