"""Variants beside their sources for people, with what changed between brackets."""

from __future__ import annotations

from typing import Any

from harness.report.terminal import console, table
from harness.suites.preview import Marked, Previews


def marked_text(pieces: Marked) -> str:
    """A text with what changed between double brackets.

    Example:
        >>> marked_text((("The ", False), ("cat", True), (" sat.", False)))
        'The ⟦cat⟧ sat.'
    """
    return "".join(f"⟦{text}⟧" if marked else text for text, marked in pieces)


def previews_json(found: Previews) -> dict[str, Any]:
    """A preview, JSON-able."""
    return {
        "items": found.n_items,
        "variants": found.n_variants,
        "rejected": [{"reason": reason, "count": count} for reason, count in found.rejected],
        "shown": [
            {
                "item_id": one.variant.item_id,
                "variant_id": one.variant.variant_id,
                "transform": one.variant.transform,
                "params": one.variant.params,
                "parts": [
                    {"part": part.name, "before": marked_text(part.before), "after": marked_text(part.after)}
                    for part in one.parts
                ],
                "answer": None if one.answer is None else {"before": one.answer[0], "after": one.answer[1]},
            }
            for one in found.shown
        ],
    }


def show_previews(found: Previews) -> None:
    """Print before and after side by side, and what was rejected."""
    rows = table("item", "transform", "part", "before", "after")
    for one in found.shown:
        name = one.variant.item_id[:8]
        level = one.variant.level
        told = one.variant.transform if level.name is None else f"{one.variant.transform} ({level.name})"
        for part in one.parts:
            rows.add_row(name, told, part.name, marked_text(part.before), marked_text(part.after))
            name = told = ""
        if one.answer is not None:
            rows.add_row("", "", "answer", *one.answer)
    out = console()
    out.print(rows)
    out.print(
        f"{len(found.shown)} of {found.n_variants} variants of {found.n_items} items; ⟦⟧ marks what changed."
    )
    for reason, count in found.rejected:
        out.print(f"rejected: {reason} ({count})")
