"""Spaces where none belong, none where they do, and too many."""

from __future__ import annotations

import re
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

Kind = Literal["split", "join", "double"]
_INSIDE = re.compile(r"(?<=[A-Za-z])[A-Za-z]|(?<=[\u4e00-\u9fff])[\u4e00-\u9fff]")
_BETWEEN = re.compile(r"(?<=[A-Za-z,;]) (?=[A-Za-z])")


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no place for a space",
)
def spacing(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    kinds: Annotated[tuple[Kind, ...], Between(1, 3)] = get_args(Kind),
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with spaces put into words, taken from between words, or doubled.

    Chinese, written without spaces, gets some between characters. Nothing comes from a lexicon: all pools are
    alike.

    Args:
        severity: Spaces put in or taken out, as a share of all characters.
        kinds: Which slips may occur.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("When does it close?")))
        >>> [change] = spacing(item, rng_for(0), severity=1, kinds=("double",))
        >>> change.item.prompt.question.text
        'When  does  it  close?'
    """
    at_spaces = tuple(kind for kind in kinds if kind != "split")

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, kinds)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        if text[site] != " ":
            return Replacement(site, site, " ", 1)
        kind = rng.choice(at_spaces)
        return Replacement(site, site + 1, "" if kind == "join" else "  ", 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, kinds: tuple[Kind, ...]) -> tuple[int, ...]:
    """Where a space may be put in, or edited; none beside a digit goes, for "3 5" must not become "35"."""
    found: list[int] = []
    if "split" in kinds:
        inside = (match.start() for match in _INSIDE.finditer(text))
        found += [at for at in inside if not mask[at] and not mask[at - 1]]
    if "join" in kinds or "double" in kinds:
        found += [match.start() for match in _BETWEEN.finditer(text) if not mask[match.start()]]
    return tuple(found)
