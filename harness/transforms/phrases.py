"""Tables of words and what may stand in their place, read from lexicons and found in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.core.errors import DataError
from harness.core.rng import Rng
from harness.transforms.declaration import POOLS, Pool
from harness.transforms.lexicons import dealt, lexicon_lines, lexicon_path
from harness.transforms.surface import Replacement

NOTHING = "∅"  # a replacement that leaves the word out
_LANGUAGES = ("en", "zh")
_MARK = "\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d"
Table = Mapping[str, tuple[str, ...]]
Found = Mapping[int, tuple[int, tuple[str, ...]]]


def phrases_from(path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """Replacements by language and phrase, from lines such as `en could have = could of`.

    Raises:
        DataError: For a line of another shape, a phrase given twice, or one that replaces itself.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {language: {} for language in _LANGUAGES}
    for line, entry in lexicon_lines(path):
        language, _, rest = entry.partition(" ")
        phrase, sign, listed = rest.partition("=")
        others = tuple(other.strip() for other in listed.split(",") if other.strip())
        phrase = phrase.strip()
        if language not in found or not sign or not phrase or not others:
            expected = "write language (en or zh), phrase, '=' and replacements between commas"
            raise DataError(f"'{entry}' is no entry; {expected}", path=path, line=line)
        if phrase in found[language]:
            raise DataError(f"'{phrase}' has two lines; put its replacements on one", path=path, line=line)
        if phrase in others:
            raise DataError(f"'{phrase}' would replace itself", path=path, line=line)
        found[language][phrase] = tuple("" if other == NOTHING else other for other in others)
    return found


@cache
def phrase_table(name: str, language: str, pool: Pool) -> dict[str, tuple[str, ...]]:
    """The entries of one shipped lexicon that fell to a pool; a phrase with none of its own is left out."""
    table = phrases_from(lexicon_path(name)).get(language, {})
    dealt_out = {phrase: dealt(phrase, others, pool) for phrase, others in table.items()}
    return {phrase: others for phrase, others in dealt_out.items() if others}


@cache
def pattern_of(phrases: frozenset[str]) -> re.Pattern[str]:
    """Any of the phrases, the longest first; Latin ones only as whole words."""
    pieces = []
    for phrase in sorted(phrases, key=lambda one: (-len(one), one)):
        ahead = r"(?<![A-Za-z0-9_'’-])" if phrase[0].isascii() and phrase[0].isalnum() else ""
        behind = rf"(?![A-Za-z0-9_'’{_MARK}-])" if phrase[-1].isascii() and phrase[-1].isalnum() else ""
        pieces.append(ahead + re.escape(phrase) + behind)
    return re.compile(f"(?:{'|'.join(pieces)})(?![{_MARK}])", re.IGNORECASE | re.ASCII)


def phrases_in(text: str, table: Table) -> dict[int, tuple[int, tuple[str, ...]]]:
    """Where phrases of the table stand in a text: start, end and what may replace them."""
    if not table:
        return {}
    found = {}
    for match in pattern_of(frozenset(table)).finditer(text):
        start, end = match.span()
        others = table.get(match[0]) or table.get(match[0].lower())
        if others:
            found[start] = (end, others)
    return found


def in_case_of(before: str, after: str) -> str:
    """The new text in capitals where the old one was.

    Example:
        >>> in_case_of("There", "their"), in_case_of("IS", "are"), in_case_of("I am", "i'm")
        ('Their', 'ARE', "I'm")
    """
    if len(before) > 1 and before.isupper() and before.isascii():
        return after.upper()
    return after[:1].upper() + after[1:] if before[:1].isupper() else after


def replacement_at(text: str, site: int, found: Found, rng: Rng) -> Replacement | None:
    """One drawn replacement for the phrase that begins at a site; a word left out takes its space along."""
    end, others = found[site]
    written = in_case_of(text[site:end], rng.choice(others))
    if not written and text[end : end + 1] == " ":
        end += 1
    return Replacement(site, end, written, max(1, edit_distance(text[site:end], written)))


@cache
def edit_distance(before: str, after: str) -> int:
    """Characters put in, taken out or exchanged to get from one text to the other (Levenshtein 1966).

    Example:
        >>> edit_distance("kitten", "sitting")
        3
    """
    row = list(range(len(after) + 1))
    for at, letter in enumerate(before, start=1):
        corner, row[0] = row[0], at
        for column, other in enumerate(after, start=1):
            corner, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, corner + (letter != other)),
            )
    return row[-1]


def pools_hold(table: Mapping[str, tuple[str, ...]]) -> dict[Pool, int]:
    """How many pairs of a table fall to each pool."""
    return {pool: sum(len(dealt(one, others, pool)) for one, others in table.items()) for pool in POOLS}
