"""A forecast of a run for people."""

from __future__ import annotations

from harness.evaluation.dry_run import Forecast
from harness.report.numbers import count_text
from harness.report.terminal import console, table


def show_forecast(forecast: Forecast) -> None:
    """Print items, tokens, time, and whether each suite can decide at the policy's margin."""
    out = console()
    out.print(f"Dry run of {forecast.checkpoint} on {forecast.device}; nothing was stored.")
    rows = table(
        "suite", "items", "variants", "rejected", "requests", "tokens read", "written at most", "too long", "margin",
        "detectable (80 % power)", "can it decide?",
        right=("items", "variants", "rejected", "requests", "tokens read", "written at most", "too long", "margin"),
    )  # fmt: skip
    for part in forecast.suites:
        detectable = ", ".join(
            f"{'none' if effect is None else f'{effect:.3f}'} @ {share:.0%}"
            for share, effect in part.detectable
        )
        rows.add_row(
            part.name, count_text(part.items), count_text(part.variants), count_text(part.rejected),
            count_text(part.requests), count_text(part.prompt_tokens), count_text(part.output_tokens),
            count_text(part.too_long), f"{part.margin:g}", detectable, part.decides or "yes",
        )  # fmt: skip
    out.print(rows)
    if forecast.seconds is not None and forecast.tokens_per_second is not None:
        out.print(
            f"About {_duration(forecast.seconds)} at {forecast.tokens_per_second:,.0f} tokens/s measured here; "
            "answers that stop early take less."
        )
    out.print(
        "`detectable`: smallest loss found, if that share of answers differs between the two checkpoints."
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
