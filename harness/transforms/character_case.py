"""Letters in the wrong case: shouting, all lower case, title case, or here and there."""

from __future__ import annotations

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

Style = Literal["mixed", "upper", "lower", "title"]


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no letter whose case could change",
)
def character_case(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.1,
    style: Style = "mixed",
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with letters in another case; Chinese items change where they hold letters.

    Nothing comes from a lexicon: all pools are alike. Letters whose other case is longer or does not lead
    back (sharp s, dotless i) stay.

    Args:
        severity: Characters edited as a share of all; 1 changes every letter that the style would change.
        style: `mixed` flips single letters; the others move letters towards that style.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("When does it close?")))
        >>> [change] = character_case(item, rng_for(0), severity=1, style="upper")
        >>> change.item.prompt.question.text
        'WHEN DOES IT CLOSE?'
    """

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, style)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        other = _other(text[site])
        return None if other is None else Replacement(site, site + 1, other, 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, style: Style) -> tuple[int, ...]:
    places = (at for at, letter in enumerate(text) if not mask[at] and _other(letter))
    return tuple(at for at in places if _is_wanted(text, at, style))


def _is_wanted(text: str, at: int, style: Style) -> bool:
    """Whether the style would change this letter."""
    letter = text[at]
    if style == "upper":
        return letter.islower()
    if style == "lower":
        return letter.isupper()
    if style == "title":
        return letter.islower() if at == 0 or not text[at - 1].isalnum() else letter.isupper()
    return True


@lru_cache(maxsize=4096)
def _other(letter: str) -> str | None:
    """The letter in its other case, where that is one letter and leads back."""
    other = letter.swapcase()
    return other if other != letter and len(other) == 1 and other.swapcase() == letter else None
