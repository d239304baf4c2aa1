"""Names, units and dates of one kind, from the lexicons: what may take the place of what."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.core.errors import DataError
from harness.transforms.lexicons import lexicon_lines, lexicon_path

WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    "zh-short": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
MONTHS = {
    # May, March and August are words as well.
    "en": ("January", "February", "April", "June", "July", "September", "October", "November", "December"),
    "zh": ("一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月"),
}


def groups_of(path: Path, separator: str | None) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Groups by language; each name stands in one group of its language as its first, or in one only.

    Raises:
        DataError: For a line without two names, or a name twice in a group.
    """
    found: dict[str, list[tuple[str, ...]]] = {"en": [], "zh": []}
    for line, entry in lexicon_lines(path):
        language, _, rest = entry.partition(" ")
        pieces = rest.split(separator) if separator else rest.split()[1:]
        names = tuple(piece.strip() for piece in pieces if piece.strip())
        if language not in found or len(names) < 2:
            raise DataError(
                f"'{entry}' is no group; write language and two names or more", path=path, line=line
            )
        if len(set(names)) < len(names):
            raise DataError(f"'{entry}' holds a name twice", path=path, line=line)
        found[language].append(names)
    return {language: tuple(groups) for language, groups in found.items()}


@cache
def entity_groups(language: str) -> tuple[tuple[str, ...], ...]:
    """People, places, colours and animals, a group each."""
    return groups_of(lexicon_path("entities.txt"), None).get(language, ())


@cache
def person_groups(language: str) -> tuple[tuple[str, ...], ...]:
    """People alone, by what pronoun stands for them."""
    return entity_groups(language)[: 2 if language == "en" else 1]


@cache
def unit_groups(language: str) -> tuple[tuple[str, ...], ...]:
    """Units; the first of a group may become any of the others."""
    return groups_of(lexicon_path("units.txt"), "|").get(language, ())


@cache
def date_groups(language: str) -> tuple[tuple[str, ...], ...]:
    """Days of the week and months."""
    short = (WEEKDAYS["zh-short"],) if language == "zh" else ()
    return (WEEKDAYS[language], *short, MONTHS[language])
