"""Letters typed without their accents, umlauts and tone marks: cafe for café."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated
from unicodedata import combining, normalize

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

# Letters that a stroke or a tail belongs to, so that they have no decomposition.
_STROKED = {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ħ": "h", "Ħ": "H"}


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no letter with a diacritic",
)
def missing_diacritics(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 1.0,
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with Latin letters bare; Chinese items change where they hold such words, or pinyin with tones.

    Nothing comes from a lexicon: all pools are alike.

    Args:
        severity: Letters stripped as a share of all characters; 1 strips every one.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("Is the café in Malmö open?")))
        >>> [change] = missing_diacritics(item, rng_for(0))
        >>> change.item.prompt.question.text
        'Is the cafe in Malmo open?'
    """

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return tuple(at for at in _marked(text) if not any(guard.mask[at : _marked(text)[at][0]]))

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        end, bare = _marked(text)[site]
        return Replacement(site, end, bare, 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _marked(text: str) -> dict[int, tuple[int, str]]:
    """Where Latin letters with marks begin, where they end, and the bare letter; composed or not."""
    if text.isascii():
        return {}
    found = {}
    at, size = 0, len(text)
    while at < size:
        end = at + 1
        while end < size and combining(text[end]):
            end += 1
        bare = _STROKED.get(text[at]) or normalize("NFD", text[at])[0]
        if bare.isascii() and bare.isalpha() and text[at:end] != bare:
            found[at] = (end, bare)
        at = end
    return found
