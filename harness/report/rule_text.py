"""One judgement in plain text, as a failing test or a build log shows it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from harness.core.visible import visible
from harness.gating import Judgement, Verdict
from harness.report.numbers import STATUS_MARKS, effect_text, interval_text, scored_text, value_text
from harness.report.worst_losses import Loss


def rule_lines(judgement: Judgement) -> list[str]:
    """Verdict, reason, effect with interval, items and the smallest loss that could have been found."""
    effect = judgement.effect
    advice = "" if judgement.is_blocking else " (advisory)"
    lines = [
        f"{STATUS_MARKS[judgement.status]} {judgement.status} {judgement.title}{advice}: {judgement.reason}"
    ]
    before = "" if effect.baseline is None else f"{value_text(effect.baseline)} -> "
    numbers = f"{effect.metric} {before}{value_text(effect.candidate)}"
    if effect.effect is not None:
        numbers += f", difference {effect_text(effect.effect)}, 95 % interval {interval_text(effect.low, effect.high)}"
    if judgement.margin is not None:
        numbers += f", margin {value_text(judgement.margin)}"
    lines.append("  " + numbers)
    counts = f"n: {effect.n_items} items, {scored_text(effect.n_scored, effect.n)} variants scored"
    if effect.lost is not None:
        counts += f", {effect.lost} lost, {effect.won} won"
    lines.append("  " + counts)
    if judgement.detectable:
        lines.append(f"  MDE: {detectable_words(judgement)}")
    if judgement.items_needed:
        lines.append(f"  About {judgement.items_needed:,} items would decide it for an unchanged candidate.")
    return lines


def detectable_words(judgement: Judgement) -> str:
    """The smallest loss that these items could have shown, at each assumed discordance.

    A suite that could show none says so: its silence is no comfort.
    """
    if all(smallest is None for _, smallest in judgement.detectable):
        return "no loss of any size could be shown with so few items"
    smallest = " / ".join(value_text(found) for _, found in judgement.detectable)
    assumed = " / ".join(f"{100 * discordance:g} %" for discordance, _ in judgement.detectable)
    return f"{smallest} (smallest loss found 4 times of 5, if {assumed} of the answers differ)"


def loss_lines(losses: Sequence[Loss], *, n_lost: int | None) -> list[str]:
    """The worst losses, three lines each."""
    if not losses:
        return []
    of = "" if n_lost is None else f" of {n_lost} lost"
    lines = [f"  Worst {len(losses)}{of} ([-baseline-] {{+candidate+}}):"]
    for number, loss in enumerate(losses, start=1):
        kind = f" · {loss.error_class}" if loss.error_class else ""
        lines.append(f"  {number}. {loss.place}{kind} · {loss.variant_id}")
        if loss.prompt:
            lines.append(f"     asked  {loss.prompt}")
        if loss.gold is not None:
            lines.append(f"     gold   {loss.gold}")
        lines.append(f"     said   {loss.change}")
    return lines


def open_command(verdict: Verdict, judgement: Judgement, *, store: str) -> str:
    """The command that shows a judgement's lost items in the dashboard."""
    words = ["harness", "dashboard", "--store", store]
    if verdict.baseline and verdict.candidate:
        words += ["--flips", verdict.baseline[0][0], verdict.candidate[0][0]]
        suite = judgement.variants[0][0] if judgement.variants else judgement.effect.suite
        words += ["--suite", suite]
    return shlex.join(words)


def rule_text(
    verdict: Verdict, judgement: Judgement, *, losses: Sequence[Loss] = (), store: str | None = None
) -> str:
    """Everything about one judgement; `store` adds the command that opens its lost items."""
    lines = [*rule_lines(judgement), *loss_lines(losses, n_lost=judgement.effect.lost)]
    if store is not None and losses:
        lines.append(f"  Open them: {open_command(verdict, judgement, store=store)}")
    return visible("\n".join(lines))
