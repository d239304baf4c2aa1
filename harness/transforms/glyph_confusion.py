"""Chinese characters in place of others of nearly the same shape, as a reader of small print takes them."""

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
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

_CHINESE = re.compile(
    "[\u4e00-\u9fff](?![\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d\U000e0100-\U000e01ef])"
)


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"zh"},
    unmet="no character with a look-alike in this pool",
)
def glyph_confusion(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with characters exchanged for look-alikes; number words and negations stay.

    `typo` mixes these with slips of sound; here they stand alone. The pairs are split between the pools.

    Args:
        severity: Characters exchanged as a share of all.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("他历来热情。")))
        >>> [change] = glyph_confusion(item, rng_for(0), severity=0.1)
        >>> [(edit.before, edit.after in shape_alike()[edit.before]) for edit in change.edits]
        [('情', True)]
    """
    table = _look_alikes(pool)

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, pool)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        return Replacement(site, site + 1, rng.choice(table[text[site]]), 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@cache
def _look_alikes(pool: Pool) -> dict[str, tuple[str, ...]]:
    found = {one: dealt(one, others, pool) for one, others in shape_alike().items()}
    return {one: others for one, others in found.items() if others}


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, pool: Pool) -> tuple[int, ...]:
    table = _look_alikes(pool)
    found = (match.start() for match in _CHINESE.finditer(text))
    return tuple(at for at in found if not mask[at] and text[at] in table)
