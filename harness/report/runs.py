"""Runs for people: the list of a store, and one run's scores."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.comparison.corpus import corpus_value
from harness.core.rows import MetricFacts
from harness.report.numbers import count_text, scored_text, value_text
from harness.report.terminal import console, table
from harness.store import Manifest, Store, StoredRun

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One metric of one suite: mean over source items of the mean over variants."""

    suite: str
    metric: str
    direction: str
    value: float | None
    n_scored: int
    n: int
    n_items: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a person wants of a finished run."""

    manifest: Manifest
    lines: tuple[ScoreLine, ...]

    def to_json(self) -> dict[str, Any]:
        """The run's identity, counts and scores."""
        manifest = self.manifest
        return {
            "run_id": manifest.run_id,
            "created": manifest.created,
            "checkpoint": asdict(manifest.checkpoint),
            "settings": manifest.settings,
            "counts": manifest.counts,
            "timings": manifest.timings,
            "lineage": manifest.lineage,
            "scores": [asdict(line) for line in self.lines],
        }

    def show(self, *, store: str) -> None:
        """Print it."""
        manifest, out = self.manifest, console()
        record = manifest.checkpoint
        out.print(f"Run {manifest.run_id} · {record.name} · {count_text(record.n_parameters)} parameters")
        rows = table("suite", "metric", "score", "scored", "items", right=("score", "scored", "items"))
        for line in self.lines:
            arrow = "" if line.direction == "higher" else " (lower is better)"
            rows.add_row(
                line.suite,
                line.metric + arrow,
                value_text(line.value),
                scored_text(line.n_scored, line.n),
                str(line.n_items),
            )
        out.print(rows)
        counts = manifest.counts
        out.print(
            f"{count_text(counts.get('requests'))} requests, {count_text(counts.get('asked'))} asked of the model now, "
            f"{count_text(counts.get('cached', 0))} from the cache, "
            f"{count_text(counts.get('unparsed'))} unparsed, {count_text(counts.get('abstained'))} abstained, "
            f"{count_text(counts.get('failed'))} failed, {manifest.timings.get('seconds', 0):.1f} s"
        )
        out.print(f"Next: harness compare BASELINE {manifest.run_id} --store {shlex.quote(store)}")


def run_summary(run: StoredRun) -> RunSummary:
    """The scores of a run, per suite and metric."""
    scores = run.scores()
    outputs = run.outputs()
    lines = []
    for record in run.manifest.suites:
        own = scores[scores["suite"] == record.name]
        for fact in record.metrics:
            rows = own[own["metric"] == fact.name]
            if fact.corpus:
                lines.append(_corpus_line(record.name, fact, rows, outputs[outputs["suite"] == record.name]))
                continue
            scored = rows.dropna(subset=["value"])
            per_item = scored.groupby("item_id")["value"].mean()
            lines.append(
                ScoreLine(
                    record.name,
                    fact.name,
                    fact.direction,
                    float(per_item.mean()) if len(per_item) else None,
                    len(scored),
                    len(rows),
                    int(rows["item_id"].nunique()),
                )  # fmt: skip
            )
    return RunSummary(run.manifest, tuple(lines))


def _corpus_line(suite: str, fact: MetricFacts, rows: pd.DataFrame, outputs: pd.DataFrame) -> ScoreLine:
    answered = outputs[outputs["outcome"] != "failed"]
    value = corpus_value(fact.name, answered) if len(answered) else None
    return ScoreLine(
        suite, fact.name, fact.direction, value, len(answered), len(outputs), int(rows["item_id"].nunique())
    )


def runs_json(store: Store) -> list[dict[str, Any]]:
    """The finished runs of a store, newest first."""
    names = _names_by_run(store)
    return [
        {
            "run_id": manifest.run_id,
            "names": names.get(manifest.run_id, []),
            "created": manifest.created,
            "checkpoint": manifest.checkpoint.name,
            "suites": [record.name for record in manifest.suites],
            "counts": manifest.counts,
        }
        for manifest in store.runs()
    ]


def show_runs(store: Store) -> None:
    """Print the runs of a store: those that are finished, then those that were broken off."""
    out, listed = console(), runs_json(store)
    rows = table(
        "run", "name", "checkpoint", "created", "suites", "outputs", "failed", right=("outputs", "failed")
    )
    for run in listed:
        suites = run["suites"]
        shown = ", ".join(suites[:4]) + (f" +{len(suites) - 4}" if len(suites) > 4 else "")
        counts = run["counts"]
        rows.add_row(
            run["run_id"], ", ".join(run["names"]), run["checkpoint"], run["created"][:16], shown,
            count_text(counts.get("outputs")), count_text(counts.get("failed")),
        )  # fmt: skip
    if listed:
        out.print(rows)
    else:
        out.print("No finished run here yet. Make one: harness run CHECKPOINT --suite key-info-position")
    for error in store.unreadable():
        out.print(f"! {error}")
    for unfinished in store.unfinished():
        if unfinished.holder is not None:
            out.print(f"{unfinished.run_id} is being written by {unfinished.holder}.")
        else:
            out.print(
                f"{unfinished.run_id} was broken off; its command goes on from there, or: "
                f"harness runs rm {unfinished.run_id}"
            )


def _names_by_run(store: Store) -> dict[str, list[str]]:
    by_run: dict[str, list[str]] = {}
    for name, run_id in sorted(store.names().items()):
        by_run.setdefault(run_id, []).append(name)
    return by_run
