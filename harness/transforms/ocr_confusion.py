"""Misreadings of a scanner: rn for m, cl for d; in Chinese a look-alike, or two halves for one character."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Annotated

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.lexicons import dealt, shape_alike
from harness.transforms.parameters import Between, Share
from harness.transforms.phrases import phrase_table
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d\U000e0100-\U000e01ef]"
_LETTER_OR_CHARACTER = re.compile(rf"[A-Za-z\u4e00-\u9fff](?!{_MARK})")


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no letter or character that a scanner misreads",
)
def ocr_confusion(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with letters read as others, in words of letters and in Chinese text; numbers stay.

    Misreadings are split between the pools, pair by pair.

    Args:
        severity: Readings that are wrong, as a share of all characters.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("好。")))
        >>> [change] = ocr_confusion(item, rng_for(0), pool="sealed")
        >>> change.item.prompt.question.text
        '女子。'
    """
    table = _misreadings(pool)

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, pool)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        pair = text[site : site + 2]
        printed = pair if pair in table and rng.chance(0.5) else pair[0]
        read = table.get(printed)
        return None if read is None else Replacement(site, site + len(printed), rng.choice(read), 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@cache
def _misreadings(pool: Pool) -> dict[str, tuple[str, ...]]:
    """What is read for letters, pairs of letters and characters."""
    found = dict(phrase_table("ocr.txt", "en", pool))
    split = phrase_table("ocr.txt", "zh", pool)
    for character in {*split, *shape_alike()}:
        read = (*split.get(character, ()), *dealt(character, shape_alike().get(character, ()), pool))
        if read:
            found[character] = read
    return found


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, pool: Pool) -> tuple[int, ...]:
    """Letters that may be misread, where neither they nor the next one is protected."""
    table = _misreadings(pool)
    found = (match.start() for match in _LETTER_OR_CHARACTER.finditer(text))
    return tuple(
        at for at in found if not any(mask[at : at + 2]) and (text[at] in table or text[at : at + 2] in table)
    )
