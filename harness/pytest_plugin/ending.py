"""The end of a session with gates: table, next step, report file, annotations, promotion."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.visible import visible
from harness.pytest_plugin.session import GateSession, Json
from harness.report.numbers import STATUS_MARKS, effect_text, interval_text, value_text


def finish(session: GateSession, outcomes: Sequence[Json]) -> list[str]:
    """Writes what was asked for, promotes what may be, and gives the lines for the terminal."""
    outcomes = _once_each(outcomes)
    records = [record for key in _keys(outcomes) if (record := session.record(key)) is not None]
    is_quiet = all(outcome["status"] == "pass" for outcome in outcomes)
    lines: list[str] = []
    if not is_quiet or session.config.get_verbosity() > 0:
        lines += _table(outcomes)
    for record in records:
        lines += _left_out(record)
        lines.append(_verdict_line(record, outcomes))
    if file := session.option("report"):
        lines.append(_write_report(Path(file), records))
    if session.config.getoption("harness_github"):
        from harness.report.github import add_step_summary, annotation

        lines += [
            annotation(outcome["status"], outcome["text"], title=outcome["title"], is_blocking=outcome["blocking"],
                       file=outcome["where"].partition("::")[0], line=outcome.get("line"))
            for outcome in outcomes
            if outcome["status"] != "pass"
        ]  # fmt: skip
        add_step_summary("\n".join(record["markdown"] for record in records), environment=os.environ)
    if session.config.getoption("harness_update"):
        lines += list(_updates(session, records))
    return lines


def _once_each(outcomes: Sequence[Json]) -> list[Json]:
    """Without the repeats of reruns: the last stands."""
    return list(
        {(outcome["key"], outcome["title"], outcome.get("rule")): outcome for outcome in outcomes}.values()
    )


def _keys(outcomes: Sequence[Json]) -> list[str]:
    return list(dict.fromkeys(outcome["key"] for outcome in outcomes))


def _table(outcomes: Sequence[Json]) -> list[str]:
    """One line a judgement, columns aligned."""
    rows = [("", "rule", "baseline", "candidate", "difference", "95 % interval", "margin", "n", "MDE")]
    for outcome in outcomes:
        facts = outcome["facts"]
        smallest = [value_text(value) for name, value in facts.items() if name.startswith("mde_")]
        rows.append(
            (
                STATUS_MARKS[outcome["status"]],
                visible(outcome["title"]) + ("" if outcome["blocking"] else " (advisory)"),
                value_text(facts.get("baseline")),
                value_text(facts.get("candidate")),
                effect_text(facts.get("effect")),
                interval_text(facts.get("interval_low"), facts.get("interval_high")),
                value_text(facts.get("margin")),
                str(facts["n_items"]),
                " / ".join(smallest) or "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _left_out(record: Json) -> list[str]:
    """What was not compared, quarantined items and all."""
    told = [
        found
        for found in record["verdict"]["differences"]
        if found["excluded"] or found["kind"] == "quarantine"
    ]
    return [f"! {visible(found['suite'] or 'all suites')}: {visible(found['message'])}" for found in told]


def _verdict_line(record: Json, outcomes: Sequence[Json]) -> str:
    """The verdict on a whole family, and whether all of it was selected."""
    judged = {outcome["title"] for outcome in record["outcomes"]}
    seen = {outcome["title"] for outcome in outcomes if outcome["key"] == record["key"]}
    part = ""
    if judged - seen:
        part = f" ({len(judged & seen)} of {len(judged)} judgements selected; the verdict is on all of them)"
    return f"{visible(record['where'])}: {record['status'].upper()} {visible(record['reason'])}{part}"


def _write_report(file: Path, records: Sequence[Json]) -> str:
    """All verdicts in one file; JSON has every number, Markdown is for a pull request."""
    if file.suffix == ".json":
        gates = [{"where": record["where"], "verdict": record["verdict"]} for record in records]
        text = json.dumps({"schema": 1, "gates": gates}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    else:
        text = "\n".join(f"# {record['where']}\n\n{record['markdown']}" for record in records)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"Report not written: {file}: {error.strerror or error}"
    return f"Report: {file}"


def _updates(session: GateSession, records: Sequence[Json]) -> Iterator[str]:
    """Promotes the candidate of each judged policy whose baseline is a name."""
    from harness.gating.promotion import author_of, promote_judged, refuse_in_ci
    from harness.store import open_store

    option: Any = session.config.getoption
    try:
        refuse_in_ci(os.environ, allowed=option("harness_allow_ci"), flag="--harness-allow-ci")
        store = open_store(session.store)
        for record in records:
            name = record["baseline_ref"]
            if name is None or name not in store.names():
                yield f"{record['where']}: not promoted: its baseline is no name but '{name}'."
                continue
            change = promote_judged(
                store, name, record["candidate_runs"][0], status=record["status"], policy=record["where"],
                reason=option("harness_accept"), author=author_of(os.environ),
            )  # fmt: skip
            yield f"{name} -> {change.run_id} (before: {change.previous}): {change.reason}"
    except HarnessError as error:
        yield f"Not promoted: {error}"
