"""A training for people: what it would learn from, how far it is, what it made."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.core.visible import visible
from harness.report.numbers import count_text
from harness.report.terminal import console, table

if TYPE_CHECKING:
    from rich.console import Console

    from harness.finetune import Preview, StepDone, Trained

_LONGEST_SHOWN = 1500


def show_preview(preview: Preview) -> None:
    """Print an example of each file with what is learned in brackets, counts, lengths and steps."""
    out = console()
    out.print(f"Dry run on base {preview.base['name']} ({preview.base['digest']}); nothing was trained.")
    for shown in preview.examples:
        out.print(f"\n{shown.place}: {shown.n_tokens} tokens, ⟦learned⟧: {shown.n_learned}")
        text = "".join(f"⟦{piece.text}⟧" if piece.is_learned else piece.text for piece in shown.pieces)
        out.print(visible(text, limit=_LONGEST_SHOWN), soft_wrap=True)
    out.print()
    _show_data(out, preview.to_json()["sources"], preview.to_json()["treatments"])
    rows = table(
        "stage", "method", "rows", "too long", "replay", "tokens", "learned", "length (median, p90, max)",
        "padding", "steps", "on one core",
        right=("rows", "too long", "replay", "tokens", "learned", "padding", "steps", "on one core"),
    )  # fmt: skip
    for place, stage in enumerate(preview.stages, start=1):
        record, lengths = stage.record, stage.token_lengths
        rows.add_row(
            str(place), stage.method, count_text(record["rows"]), count_text(record["too_long"]),
            count_text(record["replay_rows"]), count_text(record["tokens"]), count_text(record["learned_tokens"]),
            f"{lengths['median']}, {lengths['p90']}, {lengths['longest']}", f"{stage.padding_share:.1%}",
            count_text(record["steps"]), f"about {_duration(60 * stage.minutes_guess)}",
        )  # fmt: skip
    out.print(rows)


def show_training(trained: Trained) -> None:
    """Print what was trained, its loss, and where the checkpoint lies."""
    out, manifest = console(), trained.manifest
    if not trained.is_new:
        out.print("This training had finished before; nothing was done.")
    _show_data(out, manifest["data"], manifest["treatments"])
    rows = table(
        "stage", "method", "rows", "too long", "steps", "trained weights", "first loss", "last loss", "time",
        right=("rows", "too long", "steps", "trained weights", "first loss", "last loss", "time"),
    )  # fmt: skip
    for place, stage in enumerate(manifest["stages"], start=1):
        losses = [entry["nats_per_token_loss"] for entry in stage["curve"]]
        rows.add_row(
            str(place), stage["method"], count_text(stage["rows"]), count_text(stage["too_long"]),
            count_text(stage["steps"]),
            f"{count_text(stage['n_trained'])} of {count_text(stage['n_parameters'])}",
            f"{losses[0]:.3f}" if losses else "–", f"{losses[-1]:.3f}" if losses else "–",
            _duration(stage["seconds"]),
        )  # fmt: skip
    out.print(rows)
    out.print("Loss: nats per learned token.")
    result = manifest["result"]
    what = "Adapter" if result["kind"] == "adapter" else "Checkpoint"
    out.print(f"{what} {result['digest']} from base {manifest['base']['digest']}: {trained.checkpoint}")


def show_step(done: StepDone) -> None:
    """Print how far a training is to standard error, where tables are not."""
    loss = "–" if done.nats_per_token_loss is None else f"{done.nats_per_token_loss:.3f}"
    stage = f"stage {done.stage}/{done.n_stages}  " if done.n_stages > 1 else ""
    left = "" if done.step <= 1 else f"  {_duration(done.seconds_left)} left"
    pace = f"{done.tokens_per_second:,.0f} tokens/s{left}"
    sys.stderr.write(f"{stage}step {done.step}/{done.n_steps}  loss {loss}  {pace}\n")
    sys.stderr.flush()


def _show_data(out: Console, sources: Sequence[dict[str, Any]], treatments: Sequence[dict[str, Any]]) -> None:
    rows = table("data", "rows are", "rows", "used", right=("rows", "used"))
    for source in sources:
        rows.add_row(
            source["path"], source["kind"], count_text(source["n_rows"]), count_text(source["n_used"])
        )
    out.print(rows)
    if not treatments:
        return
    rows = table(
        "treatment", "share asked", "fell on", "changed", "not applicable",
        right=("share asked", "fell on", "changed"),
    )  # fmt: skip
    for count in treatments:
        rejected = dict(count["rejected"])
        rows.add_row(
            count["transform"], f"{count['share']:.0%}",
            f"{count_text(count['n_drawn'])} of {count_text(count['n_examples'])}", count_text(count["n_changed"]),
            "; ".join(f"{reason} ({n})" for reason, n in rejected.items()) or "–",
        )  # fmt: skip
    out.print(rows)


def _duration(seconds: float) -> str:
    """Seconds as people say them.

    Example:
        >>> _duration(3.21), _duration(200), _duration(9000)
        ('3.2 s', '3 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
