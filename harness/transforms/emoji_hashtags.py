"""Emoji and hashtags behind sentences, and words turned into hashtags, as in posts online."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Annotated, Literal, get_args

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.lexicons import fillers_from, lexicon_path
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Kind = Literal["emoji", "tag", "word"]
_MARK = "\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d"
_SENTENCE_END = re.compile(
    rf"(?:(?<=[.!?])(?= |\n|\Z)|(?<=[。！？；，])|(?<=[A-Za-z\u4e00-\u9fff])\Z)(?![{_MARK}])"
)
_WORD = re.compile(rf"(?:(?<= )|\A)[A-Za-z]{{4,}}(?=[ ,.;:!?\n]|\Z)(?![{_MARK}])")


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no sentence end and no word for a tag",
)
def emoji_hashtags(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    kinds: Annotated[tuple[Kind, ...], Between(1, 3)] = get_args(Kind),
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with emoji and tags put in; they neither praise nor blame, and pools hold others.

    Args:
        severity: Characters put in as a share of all, reached with whole tags.
        kinds: An `emoji` or a `tag` behind a sentence, `#` before a Latin `word`.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("When is it open?")))
        >>> [change] = emoji_hashtags(item, rng_for(0), severity=1, kinds=("word",))
        >>> change.item.prompt.question.text
        '#When is it #open?'
    """
    language = item.language.split("-")[0]
    put_in = _tags(language, pool, kinds)
    before = "" if language == "zh" else " "

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, bool(put_in), "word" in kinds)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        if site < len(text) and text[site].isascii() and text[site].isalpha():
            return Replacement(site, site, "#", 1)
        tag = before + rng.choice(put_in)
        return Replacement(site, site, tag, len(tag))

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@cache
def _tags(language: str, pool: Pool, kinds: tuple[Kind, ...]) -> tuple[str, ...]:
    listed = fillers_from(lexicon_path("tags.txt")).get((language, pool), ())
    return tuple(one for one in listed if ("tag" if one.startswith("#") else "emoji") in kinds)


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, ends: bool, words: bool) -> tuple[int, ...]:  # noqa: FBT001
    found: list[int] = []
    if ends:
        places = (match.start() for match in _SENTENCE_END.finditer(text))
        # Before a Latin letter a tag would be taken for the sign of a word.
        found += [
            at
            for at in places
            if not (at < len(text) and (mask[at] or (text[at].isascii() and text[at].isalpha())))
        ]
    if words:
        found += [match.start() for match in _WORD.finditer(text) if not any(mask[slice(*match.span())])]
    return tuple(found)
