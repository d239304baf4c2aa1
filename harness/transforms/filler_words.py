"""Hesitations of speech put before words and clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.lexicons import fillers
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

_BEFORE_WORD = re.compile(r"(?:(?<=[a-z,;] )|\A)(?=[A-Za-z])")
_BEFORE_CLAUSE = re.compile(r"(?:(?<=[，。；！？\n])|\A)(?=[\u4e00-\u9fff])")


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no place for a filler",
)
def filler_words(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.1,
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with fillers put in: before words in English, before clauses in Chinese. Pools hold others.

    Args:
        severity: Characters put in as a share of all, reached with whole fillers.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("菜好吃吗？")))
        >>> [change] = filler_words(item, rng_for(0))
        >>> change.edits[0].start, change.item.prompt.question.text.endswith("，菜好吃吗？")
        (0, True)
    """
    language = item.language.split("-")[0]
    words = fillers().get((language, pool), ())
    place, after = (_BEFORE_CLAUSE, "") if language == "zh" else (_BEFORE_WORD, " ")

    def sites(text: str, guard: Protection) -> list[int]:
        mask = guard.mask
        places = (match.start() for match in place.finditer(text))
        return [at for at in places if at == 0 or not (mask[at - 1] and mask[at])]

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        filler = rng.choice(words) + after if words else ""
        return Replacement(site, site, filler, len(filler))

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)
