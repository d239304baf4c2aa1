"""Chinese characters in place of others that sound the same, or nearly so to many speakers, or as bare pinyin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Annotated, Literal

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.lexicons import dealt, lexicon_lines, lexicon_path
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import NEGATORS, NUMERALS, Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Sound = Literal["same", "tone", "nasal", "retroflex", "lateral", "pinyin"]
_CHINESE = re.compile(
    "[\u4e00-\u9fff](?![\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d\U000e0100-\U000e01ef])"
)
_NEAREST = 8  # the commonest characters of a sound; nobody picks rare ones by mistake
_RETROFLEX = (("zh", "z"), ("ch", "c"), ("sh", "s"))


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"zh"},
    unmet="no common character that sounds like another",
)
def homophone(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    sounds: Annotated[tuple[Sound, ...], Between(1, 6)] = ("same", "tone", "nasal", "retroflex", "lateral"),
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with characters that an input method offers for the same or nearly the same letters.

    Number words and negations stay. Pairs of characters are split between the pools; bare pinyin is the same
    in all.

    Args:
        severity: Characters exchanged as a share of all.
        sounds: `same` sound and tone; another `tone`; front for back `nasal` (an, ang); `retroflex` for flat
            (zh, z); `lateral` for n; `pinyin`: the letters typed and left standing.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="zh", prompt=Prompt(question=Text("菜")))
        >>> [change] = homophone(item, rng_for(0), sounds=("pinyin",))
        >>> change.item.prompt.question.text
        'cai'
    """

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, sounds, pool)

    table = sound_alikes(sounds, pool)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement:
        return Replacement(site, site + 1, rng.choice(table[text[site]]), 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@cache
def _readings() -> dict[str, tuple[str, str]]:
    """Each common character's first reading without and with its tone."""
    from unicodedata import normalize

    from pypinyin.pinyin_dict import pinyin_dict

    found = {}
    for character in "".join(line for _, line in lexicon_lines(lexicon_path("common_characters.zh.txt"))):
        reading = pinyin_dict.get(ord(character))
        if reading:
            toned = reading.split(",")[0]
            # The four tone marks go; the two dots of ü stay, and are typed as v.
            plain = re.sub("[\u0300\u0301\u0304\u030c]", "", normalize("NFD", toned))
            found[character] = (normalize("NFC", plain).replace("ü", "v"), toned)
    return found


def confusable(sound: str, kind: Sound) -> str | None:
    """The toneless syllable that this one is taken for, or None where the kind does not apply.

    Example:
        >>> confusable("zhang", "nasal"), confusable("zhang", "retroflex"), confusable("lan", "lateral")
        ('zhan', 'zang', 'nan')
    """
    if kind == "nasal":
        if sound.endswith(("ang", "eng", "ing")):
            return sound[:-1]
        return f"{sound}g" if sound.endswith(("an", "en", "in")) else None
    if kind == "retroflex":
        for back, flat in _RETROFLEX:
            if sound.startswith(back):
                return flat + sound[len(back) :]
            if sound.startswith(flat):
                return back + sound[len(flat) :]
        return None
    if kind == "lateral" and sound[:1] in ("n", "l"):
        return {"n": "l", "l": "n"}[sound[0]] + sound[1:]
    return None


@cache
def sound_alikes(sounds: tuple[Sound, ...], pool: Pool) -> dict[str, tuple[str, ...]]:
    """What each common character may be mistaken for by ear, those of one pool."""
    readings = _readings()
    by_sound: dict[str, list[str]] = {}
    for character, (plain, _) in readings.items():
        by_sound.setdefault(plain, []).append(character)
    table = {}
    for character, (plain, toned) in readings.items():
        wrong: list[str] = []
        alike = [other for other in by_sound[plain] if other != character]
        for kind in sounds:
            if kind in ("same", "tone"):
                same = kind == "same"
                wrong += [other for other in alike if (readings[other][1] == toned) is same][:_NEAREST]
            elif kind != "pinyin":
                wrong += by_sound.get(confusable(plain, kind) or "", [])[:_NEAREST]
        kept = dealt(character, [one for one in wrong if one not in NUMERALS + NEGATORS], pool)
        if "pinyin" in sounds:
            kept = (*kept, plain)
        if kept:
            table[character] = tuple(dict.fromkeys(kept))
    return table


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, sounds: tuple[Sound, ...], pool: Pool) -> tuple[int, ...]:
    table = sound_alikes(sounds, pool)
    found = (match.start() for match in _CHINESE.finditer(text))
    return tuple(at for at in found if not mask[at] and text[at] in table)
