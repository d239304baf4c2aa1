"""A comparison as a table for people and as JSON for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from harness.comparison import Comparison, Effect
from harness.report.item_text import ItemText, item_texts
from harness.report.numbers import effect_text, interval_text, scored_text, value_text
from harness.report.terminal import console, table
from harness.store import StoredRun

MOST_FLIPS = 2  # a suite
MOST_SHOWN = 120


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Everything that the comparison says, without the items' tables."""
    return {
        "baseline": [_side(run) for run in found.baseline],
        "candidate": [_side(run) for run in found.candidate],
        "same_checkpoint": found.is_same_checkpoint,
        "suites": [
            {
                "suite": pairs.record.name,
                "digest": pairs.record.digest,
                "n_baseline": pairs.n_baseline,
                "n_candidate": pairs.n_candidate,
                "n_shared": pairs.n_shared,
            }
            for pairs in found.suites
        ],
        "differences": [asdict(difference) for difference in found.differences],
        "effects": [asdict(effect) | {"slice_title": effect.slice.title} for effect in found.effects],
        "error_classes": [asdict(share) for share in found.classes],
        "flips": [asdict(flip) for flip in found.flips],
    }


def _side(run: StoredRun) -> dict[str, Any]:
    return {"run_id": run.run_id, "checkpoint": asdict(run.manifest.checkpoint)}


def headline(found: Comparison, *, everything: bool) -> list[Effect]:
    """The effects worth showing first: each suite's primary metric, all in one line and per transform."""
    primary = {pairs.record.name: pairs.record.primary for pairs in found.suites}
    if everything:
        return list(found.effects)
    return [
        effect
        for effect in found.effects
        if effect.metric == primary[effect.suite] and effect.slice.level is None
    ]


def show_comparison(found: Comparison, *, everything: bool = False) -> None:
    """Print what differs, the paired effects, the error classes that moved and the worst flips."""
    out = console()
    before = ", ".join(f"{run.manifest.checkpoint.name} ({run.run_id})" for run in found.baseline)
    after = ", ".join(f"{run.manifest.checkpoint.name} ({run.run_id})" for run in found.candidate)
    out.print(f"baseline  {before}\ncandidate {after}")
    if found.is_same_checkpoint:
        out.print("Both sides are the same checkpoint.")
    for difference in found.differences:
        mark = "!" if difference.excluded else "·"
        out.print(f"{mark} {difference.suite or 'all suites'}: {difference.message}")
    rows = table(
        "suite", "metric", "slice", "baseline", "candidate", "difference", "95 % interval", "scored", "items",
        "lost", "won",
        right=("baseline", "candidate", "difference", "scored", "items", "lost", "won"),
    )  # fmt: skip
    for effect in headline(found, everything=everything):
        rows.add_row(
            effect.suite, effect.metric, effect.slice.title, value_text(effect.baseline), value_text(effect.candidate),
            effect_text(effect.effect), interval_text(effect.low, effect.high), scored_text(effect.n_scored, effect.n),
            str(effect.n_items), "-" if effect.lost is None else str(effect.lost),
            "-" if effect.won is None else str(effect.won),
        )  # fmt: skip
    out.print(rows)
    out.print(
        "Differences are oriented so that + is better; intervals are paired and clustered by source item."
    )
    _show_classes(found)
    _show_flips(found)


def _show_classes(found: Comparison) -> None:
    moved = [share for share in found.classes if share.baseline or share.candidate]
    if not moved:
        return
    rows = table(
        "suite", "error class", "baseline", "candidate", "change", "95 % interval",
        title="Error classes (primary class, share of all items)", right=("baseline", "candidate", "change"),
    )  # fmt: skip
    for share in moved:
        rows.add_row(
            share.suite, share.error_class, f"{share.baseline:.1%}", f"{share.candidate:.1%}",
            f"{100 * share.change:+.1f} pt", interval_text(share.low, share.high),
        )  # fmt: skip
    console().print(rows)


def _show_flips(found: Comparison) -> None:
    """The surest losses of every suite, with what was asked and both answers."""
    if not found.flips:
        return
    ties = sum(flip.is_tie for flip in found.flips)
    lost = [flip for flip in found.flips if flip.kind == "lost" and not flip.is_tie]
    out = console()
    out.print(
        f"Flips: {len(lost)} right -> wrong, {len(found.flips) - len(lost) - ties} wrong -> right"
        + (f", {ties} ties within the numerical noise of repeated runs." if ties else ".")
    )
    n_shown = 0
    for suite in dict.fromkeys(flip.suite for flip in lost):
        picked = [flip for flip in lost if flip.suite == suite][:MOST_FLIPS]
        n_shown += len(picked)
        texts = item_texts(found.candidate[0], suite, [flip.variant_id for flip in picked])
        for flip in picked:
            asked = texts.get(flip.variant_id, ItemText(""))
            out.print(
                f"  {flip.suite} · {flip.transform} · {flip.language} · {flip.variant_id}\n"
                f"    asked {_quoted(asked.prompt)}\n"
                f"    gold  {_quoted(asked.answer(flip.gold))}\n"
                f"    was   {_quoted(asked.answer(flip.baseline_output))}\n"
                f"    now   {_quoted(asked.answer(flip.candidate_output))}"
            )
    if len(lost) > n_shown:
        out.print(f"  … {len(lost) - n_shown} more: harness dashboard, or --json")


def _quoted(text: str | None) -> str:
    """On one line, what cannot be printed as escapes, cut."""
    if text is None:
        return "-"
    return repr(text[:MOST_SHOWN]) + (" …" if len(text) > MOST_SHOWN else "")
