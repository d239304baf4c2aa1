"""Latin letters and marks in the wide forms of Chinese typing, and wide ones in the narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Direction = Literal["full", "half", "both"]
# Unicode sets the wide forms of ASCII off by a constant (block "Halfwidth and Fullwidth Forms").
_OFFSET = 0xFEE0
_NARROW = "A-Za-z,.;:!?()"
_WIDE = "Ａ-Ｚａ-ｚ，．；：！？（）"
_SITES: dict[Direction, re.Pattern[str]] = {
    "full": re.compile(f"[{_NARROW}](?![\u0300-\u036f])"),
    "half": re.compile(f"[{_WIDE}]"),
    "both": re.compile(f"[{_NARROW}](?![\u0300-\u036f])|[{_WIDE}]"),
}


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no character that has another width",
)
def full_width(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.1,
    direction: Direction = "both",
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with letters and marks in their other width; digits, quotes and code stay.

    Nothing comes from a lexicon: all pools are alike.

    Args:
        severity: Characters edited as a share of all; 1 edits every one that has another width.
        direction: To `full` width, to `half`, or `both` ways.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("用Word打开它，好吗？")))
        >>> [change] = full_width(item, rng_for(0), severity=1)
        >>> change.item.prompt.question.text
        '用Ｗｏｒｄ打开它,好吗?'
    """

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, direction)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        code = ord(text[site])
        return Replacement(site, site + 1, chr(code + (_OFFSET if code < _OFFSET else -_OFFSET)), 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, direction: Direction) -> tuple[int, ...]:
    found = (match.start() for match in _SITES[direction].finditer(text))
    return tuple(at for at in found if not mask[at])
