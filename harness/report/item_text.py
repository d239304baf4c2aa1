"""What was asked and what counted as right, as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.store import StoredRun

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ItemText:
    """One asked variant.

    Args:
        prompt: The conversation as plain text.
        options: The option texts of a multiple-choice item, else empty.
        labels: (id, shown name) of a classification's labels, else empty.
        tags: (name, value) pairs.
        edits: What the transform changed: (part, position, before, after).
    """

    prompt: str
    options: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    edits: tuple[tuple[str, ...], ...] = ()

    def answer(self, value: str | None) -> str | None:
        """A prediction or gold as it was offered: an option's text, a label with its name, else the value.

        Example:
            >>> ItemText("", options=("red", "blue")).answer("1"), ItemText("").answer("1")
            ('2. blue', '1')
        """
        if value is None:
            return None
        if self.options and value.isascii() and value.isdigit() and int(value) < len(self.options):
            return f"{int(value) + 1}. {self.options[int(value)]}"
        named = dict(self.labels).get(value)
        return f"{value} ({named})" if named is not None and named != value else value


def item_texts(run: StoredRun, suite: str, variant_ids: Iterable[str] | None = None) -> dict[str, ItemText]:
    """The asked variants of one suite by id.

    Raises:
        UnknownName: If the run has no such suite.
        StoreError: If it lists no items of it, or their file is absent or damaged.
    """
    frame = run.variants(suite)
    if variant_ids is not None:
        frame = frame[frame["variant_id"].isin(list(variant_ids))]
    return texts_of(frame)


def texts_of(frame: pd.DataFrame) -> dict[str, ItemText]:
    """The rows of a suite's variants by id."""
    columns = frame[["variant_id", "prompt_text", "item", "tags", "edits"]]
    return {
        row.variant_id: _text(row.prompt_text, _record(row.item), _record(row.tags), row.edits)
        for row in columns.itertuples(index=False)
    }


def _record(text: str) -> Mapping[str, Any]:
    value = json.loads(text or "{}")
    return value if isinstance(value, dict) else {}


def _text(prompt: str, item: Mapping[str, Any], tags: Mapping[str, Any], edits: str) -> ItemText:
    parts = item.get("prompt", {})
    parts = parts if isinstance(parts, dict) else {}
    return ItemText(
        prompt=prompt,
        options=tuple(_plain(option) for option in parts.get("options", ())),
        labels=tuple((label["id"], _plain(label["names"][0])) for label in parts.get("labels", ())),
        tags=tuple(sorted((str(name), str(value)) for name, value in tags.items())),
        edits=tuple(tuple(str(part) for part in edit) for edit in json.loads(edits or "[]")),
    )


def _plain(value: Any) -> str:
    return str(value["text"]) if isinstance(value, dict) else str(value)
