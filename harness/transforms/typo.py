"""Slips of the finger: neighbouring keys, swapped, dropped and doubled letters; in Chinese the wrong character."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Annotated, Literal, get_args

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.lexicons import dealt, homophones, shape_alike
from harness.transforms.parameters import Between, Share
from harness.transforms.protection import NEGATORS, NUMERALS, Protection
from harness.transforms.surface import QUESTION_AND_CONTEXT, PartName, Replacement, edited

Kind = Literal["neighbour", "swap", "drop", "double", "homophone", "shape"]
_BY_KEY = frozenset(("neighbour", "swap", "drop", "double"))
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Shorter words become other words too easily. A letter that carries a combining mark is left whole.
_MARK = r"[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d]"
_IS_MARK = re.compile(_MARK).match
_WORD = re.compile(rf"[A-Za-z]{{3,}}(?!{_MARK})")
_CHINESE = re.compile(rf"[\u4e00-\u9fff](?!{_MARK}|[\U000e0100-\U000e01ef])")
_CLOSEST_HOMOPHONES = 8


@transform(
    family="noise",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    unmet="no character that could be mistyped",
)
def typo(
    item: Item,
    rng: Rng,
    *,
    severity: Share = 0.05,
    kinds: Annotated[tuple[Kind, ...], Between(1, 6)] = get_args(Kind),
    parts: Annotated[tuple[PartName, ...], Between(1, 6)] = QUESTION_AND_CONTEXT,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change with a share of its characters mistyped; number words and negations stay as they are.

    Latin words of three letters or more are mistyped by key, Chinese characters by sound or by shape. The
    replacements are split between the pools; swapped, dropped and doubled letters are the same in all.

    Args:
        severity: Characters edited as a share of all.
        kinds: Which slips may occur.
        parts: Which texts.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("When does the museum close?")))
        >>> [change] = typo(item, rng_for(0), kinds=("drop",))
        >>> len(change.item.prompt.question.text), change.level.dose
        (26, 0.037037)
    """

    by_key = tuple(kind for kind in kinds if kind in _BY_KEY)
    chinese = item.language.split("-")[0] == "zh"
    wrong_characters = _wrong_characters(kinds, pool) if chinese else {}
    near = neighbours(pool)

    def sites(text: str, guard: Protection) -> tuple[int, ...]:
        return _sites(text, guard.mask, latin=bool(by_key), chinese=chinese)

    def rewrite(text: str, site: int, rng: Rng) -> Replacement | None:
        if text[site].isascii():
            return _by_key(text, site, rng, by_key, near)
        wrong = wrong_characters.get(text[site])
        return None if wrong is None else Replacement(site, site + 1, rng.choice(wrong), 1)

    yield from edited(item, rng, severity=severity, parts=parts, sites=sites, rewrite=rewrite)


@lru_cache(maxsize=1024)
def _sites(text: str, mask: bytes, *, latin: bool, chinese: bool) -> tuple[int, ...]:
    found: list[int] = []
    if latin:
        found += [at for word in _WORD.finditer(text) for at in range(*word.span()) if not mask[at]]
    if chinese:
        found += [match.start() for match in _CHINESE.finditer(text) if not mask[match.start()]]
    return tuple(found)


def _by_key(
    text: str, site: int, rng: Rng, kinds: tuple[Kind, ...], near: Mapping[str, tuple[str, ...]]
) -> Replacement | None:
    kind = rng.choice(kinds)
    letter = text[site]
    if kind == "neighbour":
        beside = rng.choice(near[letter.lower()])
        return Replacement(site, site + 1, beside.upper() if letter.isupper() else beside, 1)
    if kind == "drop":
        return Replacement(site, site + 1, "", 1)
    if kind == "double":
        return Replacement(site, site + 1, letter * 2, 1)
    if kind == "swap":
        following = text[site + 1 : site + 2]
        if following.isascii() and following.isalpha() and not _IS_MARK(text, site + 2):
            return Replacement(site, site + 2, following + letter, 1)
    return None


@cache
def neighbours(pool: Pool) -> dict[str, tuple[str, ...]]:
    """The keys beside each letter's key on a QWERTY keyboard, those of one pool.

    A letter whose neighbours all fell to other pools takes the one above or beside it that is nearest.

    Example:
        >>> sorted({key for pool in ("challenge", "treatment", "sealed") for key in neighbours(pool)["g"]})
        ['b', 'f', 'h', 't', 'v', 'y']
    """
    table = {}
    for row, keys in enumerate(_ROWS):
        for column, letter in enumerate(keys):
            # Rows are set off by half a key: above lie column and column + 1, below column - 1 and column.
            near = [(row, column - 1), (row, column + 1), (row - 1, column), (row - 1, column + 1)]
            near += [(row + 1, column - 1), (row + 1, column)]
            beside = [_ROWS[r][c] for r, c in near if 0 <= r < len(_ROWS) and 0 <= c < len(_ROWS[r])]
            table[letter] = _in_turn(letter, beside, pool)
    return table


def _in_turn(letter: str, beside: list[str], pool: Pool) -> tuple[str, ...]:
    """Neighbours dealt in turn, from a start that depends on the letter, so that each pool gets some."""
    places: dict[Pool, int] = {"challenge": 0, "treatment": 1, "sealed": 2}
    start = (places[pool] + ord(letter)) % 3
    return tuple(beside[start::3]) or tuple(beside[:1])


@cache
def _wrong_characters(kinds: tuple[Kind, ...], pool: Pool) -> dict[str, tuple[str, ...]]:
    tables = {"homophone": homophones, "shape": shape_alike}
    found: dict[str, list[str]] = {}
    for kind, table in tables.items():
        if kind not in kinds:
            continue
        for character, others in table().items():
            wrong = [other for other in others[:_CLOSEST_HOMOPHONES] if other not in NUMERALS + NEGATORS]
            found.setdefault(character, []).extend(dealt(character, wrong, pool))
    return {character: tuple(dict.fromkeys(wrong)) for character, wrong in found.items() if wrong}
