"""What changed between two texts, word by word; a Chinese character is a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from harness.report.markup import Markup, element, joined, shown

MOST_WORDS = 2000
_WORDS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|\w+|\s+|[^\w\s]")

Kind = Literal["same", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that both sides share, or that only one has."""

    kind: Kind
    text: str


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces that lead from one text to the other.

    Above 2,000 words on a side, whole lines are compared: word by word would take seconds.

    Example:
        >>> [(piece.kind, piece.text) for piece in word_diff("共 36 元", "共 63 元")]
        [('same', '共 '), ('removed', '36'), ('added', '63'), ('same', ' 元')]
    """
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(left), len(right)) > MOST_WORDS:
        left, right = before.splitlines(keepends=True), after.splitlines(keepends=True)
        if max(len(left), len(right)) > MOST_WORDS:
            return tuple(_whole(before, after))
    pieces: list[Piece] = []
    for kind, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(left[i:j])))
            continue
        pieces += [Piece("removed", "".join(left[i:j]))] if j > i else []
        pieces += [Piece("added", "".join(right[k:m]))] if m > k else []
    return tuple(_joined(pieces))


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Changes with nothing but white space between them as one change: words that left, then words that came."""
    removed = added = ""
    for place, piece in enumerate(pieces):
        between = piece.kind == "same" and piece.text.isspace() and 0 < place < len(pieces) - 1
        if piece.kind == "same" and not (between and (removed or added)):
            yield from _change(removed, added)
            removed = added = ""
            yield piece
            continue
        removed += piece.text if piece.kind != "added" else ""
        added += piece.text if piece.kind != "removed" else ""
    yield from _change(removed, added)


def _change(removed: str, added: str) -> Iterator[Piece]:
    if removed:
        yield Piece("removed", removed)
    if added:
        yield Piece("added", added)


def _whole(before: str, after: str) -> Iterator[Piece]:
    if before == after:
        yield Piece("same", before)
        return
    yield Piece("removed", before)
    yield Piece("added", after)


def diff_markup(before: str | None, after: str | None) -> Markup:
    """The two texts in one, what went struck through and what came underlined; nothing of them is markup."""
    if before is None or after is None:
        return element("em", "One side gave no output.", class_="h-dim")
    tags: dict[Kind, str] = {"removed": "del", "added": "ins"}
    pieces = word_diff(before, after)
    if all(piece.kind == "same" for piece in pieces):
        return element("em", "Both outputs are the same text.", class_="h-dim")
    return joined(
        [
            shown(piece.text) if piece.kind == "same" else element(tags[piece.kind], shown(piece.text))
            for piece in pieces
        ]
    )
