"""Puts characters of other scripts in place of those they look like."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Annotated

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import POOLS, Pool, Preserves, transform
from harness.transforms.lexicons import lexicon_path
from harness.transforms.parameters import Between, Share
from harness.transforms.phrases import phrases_from
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited


@transform(
    family="adversarial",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    in_place=True,
    unmet="no character that another looks like",
)
def look_alike(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change: Cyrillic and Greek letters for Latin ones, radicals for Chinese characters.

    Characters are dealt to the pools in turn, so that each has its own.

    Args:
        severity: Characters exchanged, as a share of all.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("香")))
        >>> [change.item.prompt.question.text for pool in POOLS for change in look_alike(item, rng_for(0), pool=pool)]
        ['\\u2fb9']
    """
    table = _table(item.language.split("-")[0], pool)

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, frozenset(table))

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        return Replacement(site, site + 1, rng.choice(table[text[site]]), 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@cache
def _table(language: str, pool: Pool) -> dict[str, tuple[str, ...]]:
    """The pool's characters; in Chinese text the Latin ones too."""
    listed = phrases_from(lexicon_path("look_alikes.txt"))
    pairs = {**listed["en"], **(listed["zh"] if language == "zh" else {})}
    return {one: pairs[one] for at, one in enumerate(pairs) if at % len(POOLS) == POOLS.index(pool)}


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, characters: frozenset[str]) -> tuple[int, ...]:
    # A mark that combines with a letter is left with its letter.
    return tuple(
        at
        for at, one in enumerate(text)
        if one in characters and not mask[at] and not "\u0300" <= text[at + 1 : at + 2] <= "\u036f"
    )
