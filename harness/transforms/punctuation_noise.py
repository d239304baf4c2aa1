"""Punctuation dropped, doubled, or another mark in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Kind = Literal["drop", "double", "replace"]
# Quotes and brackets are left alone: they carry structure.
_MARKS = ",.;:!?"
_CHINESE_MARKS = "，。；：！？、"
_SITE = re.compile(f"[{_MARKS}{_CHINESE_MARKS}]")


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no punctuation mark",
)
def punctuation_noise(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.03,
    kinds: Annotated[tuple[Kind, ...], Between(1, 3)] = get_args(Kind),
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with commas, stops, colons, question and exclamation marks edited.

    Nothing comes from a lexicon: all pools are alike.

    Args:
        severity: Marks edited as a share of all characters; 1 edits every mark.
        kinds: What may happen to a mark; `replace` takes another of the same script.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("菜不错，下次还来。")))
        >>> [change] = punctuation_noise(item, rng_for(0), severity=1, kinds=("drop",))
        >>> change.item.prompt.question.text
        '菜不错下次还来'
    """

    def sites(text: str, guard: Protection) -> list[int]:
        return [match.start() for match in _SITE.finditer(text) if not guard.mask[match.start()]]

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        mark, kind = text[site], rng.choice(kinds)
        if kind == "drop":
            return Replacement(site, site + 1, "", 1)
        if kind == "double":
            return Replacement(site, site + 1, mark * 2, 1)
        others = _MARKS if mark in _MARKS else _CHINESE_MARKS
        return Replacement(site, site + 1, rng.choice(others.replace(mark, "")), 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)
