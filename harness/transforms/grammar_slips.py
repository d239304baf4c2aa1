"""Slips of grammar: wrong agreement, lost articles, confused small words; in Chinese 的地得 and measure words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share
from harness.transforms.phrases import Found, phrase_table, phrases_in, replacement_at
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

_LEXICON = "grammar_slips.txt"


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no word whose grammar could slip in this pool",
)
def grammar_slips(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with words in forms that do not agree, or exchanged for those they are confused with.

    Negations, numbers and protected text stay. The slips are split between the pools.

    Args:
        severity: Characters edited as a share of all, reached with whole words.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("Whose bag is it?")))
        >>> [change] = grammar_slips(item, rng_for(0), severity=1, pool="sealed")
        >>> change.item.prompt.question.text
        'Whose bag it?'
    """
    language = item.language.split("-")[0]

    def sites(text: str, guard: Protection) -> list[int]:
        found = _slips(text, language, pool)
        return [at for at, (end, _) in found.items() if not any(guard.mask[at:end])]

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        return replacement_at(text, site, _slips(text, language, pool), rng)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _slips(text: str, language: str, pool: Pool) -> Found:
    return phrases_in(text, phrase_table(_LEXICON, language, pool))
