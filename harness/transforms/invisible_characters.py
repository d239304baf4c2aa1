"""Puts characters that cannot be seen between letters: zero-width ones, and marks of writing direction."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal, get_args

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Kind = Literal["zero_width", "direction"]
# None of them joins or reorders the letters around it: what is seen stays the same.
_SIGNS: dict[Pool, dict[Kind, str]] = {
    "challenge": {"zero_width": "\u200b", "direction": "\u200e"},
    "treatment": {"zero_width": "\u2060", "direction": "\u2068\u2069"},
    "sealed": {"zero_width": "\ufeff", "direction": "\u202a\u202c"},
}


@transform(
    family="adversarial",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    in_place=True,
    unmet="no two letters to put a character between",
)
def invisible_characters(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    kinds: Annotated[tuple[Kind, ...], Between(1, 2)] = get_args(Kind),
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with invisible characters inside words; pools hold other characters.

    Args:
        severity: Characters put in as a share of all.
        kinds: `zero_width` spaces and joiners of nothing, `direction` marks (empty pairs where they come in pairs).
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("When?")))
        >>> [change] = invisible_characters(item, rng_for(0), severity=1, kinds=("zero_width",))
        >>> change.item.prompt.question.text
        'W\\u200bh\\u200be\\u200bn?'
    """
    signs = [_SIGNS[pool][kind] for kind in kinds]

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        sign = rng.choice(signs)
        return Replacement(site, site, sign, len(sign))

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes) -> tuple[int, ...]:
    """Between two letters of which neither is protected; a letter stays with the marks that combine with it.

    Letters beyond the basic plane are left alone: some readers hold them as two halves.
    """
    return tuple(
        at
        for at in range(1, len(text))
        if unicodedata.category(text[at - 1])[0] == unicodedata.category(text[at])[0] == "L"
        and not (mask[at - 1] or mask[at])
        and text[at - 1] < "\U00010000"
        and text[at] < "\U00010000"
        and not unicodedata.combining(text[at + 1 : at + 2] or " ")
    )
