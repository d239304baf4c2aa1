"""The variants that lost most under one judgement: what was asked, both answers in one, and the kind of error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.comparison import Pairing, SuitePairs
from harness.comparison.effects import slice_mask
from harness.comparison.errors import primary_classes
from harness.comparison.flips import shown_output
from harness.core.visible import visible
from harness.gating import Judgement
from harness.report.item_text import ItemText, item_texts
from harness.report.word_diff import Piece, word_diff

if TYPE_CHECKING:
    import pandas as pd

MOST = 5
PROMPT_LENGTH, SAME_LENGTH, CHANGE_LENGTH = 160, 40, 120


@dataclass(frozen=True, slots=True)
class Loss:
    """One variant on which the candidate is worse than the baseline.

    Args:
        variant_id: Which.
        place: Language, transform and position, for people.
        error_class: The candidate's primary error class; None where none was found.
        prompt: The end of what was asked, on one line.
        gold: The right answer; None where there is none.
        change: What the baseline said and what the candidate says in one text: [-gone-]{+come+}.
    """

    variant_id: str
    place: str
    error_class: str | None
    prompt: str
    gold: str | None
    change: str


def worst_losses(
    pairing: Pairing, judgement: Judgement, *, tags: pd.Series | None = None, most: int = MOST
) -> tuple[Loss, ...]:
    """The variants that lost most in the judgement's own metric and slice, at most one a source item.

    The largest loss leads; among equal ones the error that the candidate is surest of. Metrics computed over many
    items at once have no loss per variant: none is shown.

    Args:
        pairing: The sides that were judged.
        judgement: The rule's judgement.
        tags: variant_id -> tags of the suite, needed where the rule's slice names tags.
        most: At most so many.
    """
    if judgement.variants:
        return _single_answers(pairing, judgement.variants[:most])
    effect = judgement.effect
    pairs = next((found for found in pairing.suites if found.record.name == effect.suite), None)
    if pairs is None or not pairs.n_shared:
        return ()
    rows = _losing_rows(pairs, judgement, tags).head(most)
    if rows.empty:
        return ()
    variant_ids = rows["variant_id"].to_list()
    texts = item_texts(pairing.candidate[0], effect.suite, variant_ids)
    classes = primary_classes(pairing.candidate[0])
    outputs = pairs.outputs.loc[variant_ids].to_dict("records")
    return tuple(
        _loss(
            row, output, texts.get(row.variant_id, ItemText("")), classes.get((effect.suite, row.variant_id))
        )
        for row, output in zip(rows.itertuples(index=False), outputs, strict=True)
    )


def _single_answers(pairing: Pairing, variants: Sequence[tuple[str, str]]) -> tuple[Loss, ...]:
    """Single answers by name, as far as both sides gave them."""
    found = []
    for suite, variant_id in variants:
        pairs = next((pairs for pairs in pairing.suites if pairs.record.name == suite), None)
        if pairs is None or variant_id not in pairs.outputs.index:
            continue
        row = next(pairs.scores[pairs.scores["variant_id"] == variant_id].head(1).itertuples(index=False))
        output = pairs.outputs.loc[[variant_id]].to_dict("records")[0]
        text = item_texts(pairing.candidate[0], suite, [variant_id]).get(variant_id, ItemText(""))
        error_class = primary_classes(pairing.candidate[0]).get((suite, variant_id))
        found.append(_loss(row, output, text, error_class))
    return tuple(found)


def _losing_rows(pairs: SuitePairs, judgement: Judgement, tags: pd.Series | None) -> pd.DataFrame:
    """The scores' rows that lost, the gravest first, one a source item."""
    effect = judgement.effect
    is_rate = effect.metric.endswith("_rate") and effect.metric not in set(pairs.scores["metric"])
    if is_rate:
        table = pairs.scores.drop_duplicates("variant_id")
        outcome = effect.metric.removesuffix("_rate")
        loss = (table["outcome_candidate"] == outcome).astype(float) - (table["outcome_baseline"] == outcome)
    else:
        table = pairs.scores[pairs.scores["metric"] == effect.metric]
        loss = table["baseline"] - table["candidate"]
        loss = loss if effect.direction == "higher" else -loss
    table = table.assign(loss=loss)[slice_mask(table, effect.slice, tags=tags)]
    table = table[table["loss"] > 0]
    lead = pairs.outputs["option_logprobs_candidate"].reindex(table["variant_id"]).map(_lead).to_numpy(float)
    table = table.assign(lead=lead).sort_values(
        ["loss", "lead", "variant_id"], ascending=[False, False, True]
    )
    found: pd.DataFrame = table.drop_duplicates("item_id")
    return found


def _lead(logprobs: Any) -> float:
    """How far the chosen option leads the next, in nats; 0 where nothing was chosen."""
    if not isinstance(logprobs, (list, tuple, np.ndarray)) or len(logprobs) < 2:
        return 0.0
    first, second = sorted((float(value) for value in logprobs), reverse=True)[:2]
    return first - second


def _loss(row: Any, output: Mapping[Any, object], text: ItemText, error_class: str | None) -> Loss:
    where = [str(row.language), str(row.transform)]
    if row.position == row.position:  # missing is NaN here
        where.append(f"position {row.position:g}")
    gold = output["gold_candidate"]
    before, after = (text.answer(shown_output(output, side)) for side in ("baseline", "candidate"))
    return Loss(
        variant_id=row.variant_id,
        place=" · ".join(where),
        error_class=error_class,
        prompt=_end(text.prompt, PROMPT_LENGTH),
        gold=None if not isinstance(gold, str) else _on_one_line(text.answer(gold) or gold, CHANGE_LENGTH),
        change=change_text(before, after),
    )


def change_text(before: str | None, after: str | None) -> str:
    """Two texts as one line, as `git --word-diff` shows them; long stretches are cut.

    Example:
        >>> change_text("共 36 元", "共 63 元")
        '共 [-36-]{+63+} 元'
        >>> change_text("1. red", "2. blue")
        '[-1. red-]{+2. blue+}'
        >>> change_text("yes", "yes"), change_text(None, "yes")
        ('yes (both)', '[-(nothing)-]{+yes+}')
    """
    if before is not None and before == after:
        return f"{_on_one_line(before, CHANGE_LENGTH)} (both)"
    pieces = word_diff(before or "", after or "")
    # A full stop in common is nothing in common.
    if any(piece.kind == "same" and re.search(r"\w", piece.text) for piece in pieces):
        return "".join(_pieces(pieces))
    gone, come = (_on_one_line(text or "(nothing)", CHANGE_LENGTH) for text in (before, after))
    return f"[-{gone}-]{{+{come}+}}"


def _pieces(pieces: tuple[Piece, ...]) -> Iterator[str]:
    for number, piece in enumerate(pieces):
        if piece.kind == "same":
            yield _around(piece.text, is_first=number == 0, is_last=number == len(pieces) - 1)
            continue
        text = _on_one_line(piece.text, CHANGE_LENGTH)
        yield f"[-{text}-]" if piece.kind == "removed" else f"{{+{text}+}}"


def _around(text: str, *, is_first: bool, is_last: bool) -> str:
    """What both sides share, only as much of it as stands beside a change."""
    text = visible(text.replace("\n", "⏎"))
    if len(text) <= 2 * SAME_LENGTH:
        return text
    head = "" if is_first else text[:SAME_LENGTH]
    tail = "" if is_last else text[-SAME_LENGTH:]
    return f"{head}…{tail}"


def _on_one_line(text: str, limit: int) -> str:
    return visible(text.replace("\n", "⏎"), limit=limit)


def _end(text: str, limit: int) -> str:
    """The end of a text on one line: what is asked mostly stands there."""
    squeezed = visible(" ".join(text.split()))
    return squeezed if len(squeezed) <= limit else "…" + squeezed[-limit:]
