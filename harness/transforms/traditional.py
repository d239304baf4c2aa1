"""Simplified Chinese in traditional characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between
from harness.transforms.protection import Span, answers_of, protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, parts_of, with_texts

if TYPE_CHECKING:
    from opencc import OpenCC

Standard = Literal["s2t", "s2tw", "s2hk"]
_LONE_SURROGATES = re.compile("([\ud800-\udfff]+)")


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"zh"},
    respells=True,
    unmet="no character with a traditional form",
)
def traditional(
    item: Item,
    rng: Rng,
    *,
    standard: Standard = "s2t",
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with every character in its traditional form; answers stay, so that they still match.

    Number words and negations are converted like all others. Nothing random, nothing to split: all pools are
    alike.

    Args:
        standard: OpenCC's standard, of Taiwan (`s2tw`) or of Hong Kong (`s2hk`).
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("头发发展到哪里了？")))
        >>> [change] = traditional(item, rng_for(0))
        >>> change.item.prompt.question.text
        '頭髮發展到哪裏了？'
    """
    answers = answers_of(item)
    texts: dict[str, str] = {}
    edits: list[Edit] = []
    found = parts_of(item.prompt, parts)
    for part in found:
        spans = protection(part.text, (*part.protect, *answers), words=False).spans
        texts[part.name] = written = _converted(part.text, spans, standard)
        edits += [
            Edit(part.name, before, after, at)
            for at, (before, after) in enumerate(zip(part.text, written, strict=True))
            if before != after
        ]
    if edits:
        dose = len(edits) / sum(len(part.text) for part in found)
        changed = replace(item, prompt=with_texts(item.prompt, texts))
        yield Change(item=changed, level=Level(dose=round(dose, 6)), edits=tuple(edits))


@cache
def _converter(standard: Standard) -> OpenCC:
    from opencc import OpenCC

    return OpenCC(standard)


def _convert(text: str, standard: Standard) -> str:
    """Conversion around lone surrogates, which have no UTF-8; as long as the text, else left as it is.

    The standards here map character to character; a dictionary that did not would make places meaningless.
    """
    converter = _converter(standard)
    pieces = [
        piece if place % 2 else converter.convert(piece)
        for place, piece in enumerate(_LONE_SURROGATES.split(text))
    ]
    whole = "".join(pieces)
    return whole if len(whole) == len(text) else text


def _converted(text: str, spans: tuple[Span, ...], standard: Standard) -> str:
    """The whole text converted, for the words around decide, with the protected spans put back."""
    written = _convert(text, standard)
    for start, end in spans:
        written = written[:start] + text[start:end] + written[end:]
    return written
