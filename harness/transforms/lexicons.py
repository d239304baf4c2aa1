"""Tables that transforms draw from, read from the shipped lexicons and dealt into pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from zlib import crc32

from harness.core.errors import DataError
from harness.transforms.declaration import POOLS, Pool

_PACKAGE = Path(__file__).resolve().parents[1]


def lexicon_path(name: str) -> Path:
    """Where a shipped lexicon lies: inside the installed package, or in the checkout beside it.

    Raises:
        DataError: If it is in neither place.
    """
    folders = (_PACKAGE / "_shipped" / "challenge_sets", _PACKAGE.parent / "challenge_sets")
    for folder in folders:
        if (folder / "lexicons" / name).is_file():
            return folder / "lexicons" / name
    raise DataError("the lexicon is missing; install the package again", path=folders[0] / "lexicons" / name)


def lexicon_lines(path: Path) -> list[tuple[int, str]]:
    """Line numbers and entries, comments and empty lines left out.

    Raises:
        DataError: If the file is not UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 at byte {error.start}; save it as UTF-8", path=path) from error
    return [(at, line) for at, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]


def dealt(owner: str, entries: Iterable[str], pool: Pool) -> tuple[str, ...]:
    """The entries of a pool: owner and entry together decide, so that each pool gets about a third.

    Dealing in turn would give the second of two entries to `treatment` always, and `sealed` almost nothing.

    Example:
        >>> [dealt("a", "qwszx", pool) for pool in POOLS]
        [('w', 's', 'z'), ('x',), ('q',)]
    """
    place = POOLS.index(pool)
    return tuple(entry for entry in entries if crc32(f"{owner}>{entry}".encode()) % len(POOLS) == place)


def groups_from(path: Path) -> dict[str, tuple[str, ...]]:
    """Each character's companions, from a file of groups.

    Raises:
        DataError: For a group of one, or with a character twice.
    """
    companions: dict[str, list[str]] = {}
    for line, group in lexicon_lines(path):
        if len(group) < 2 or len(set(group)) < len(group):
            raise DataError(f"group '{group}' needs two or more different characters", path=path, line=line)
        for character in group:
            held = companions.setdefault(character, [])
            held += [other for other in group if other != character and other not in held]
    return {character: tuple(others) for character, others in companions.items()}


def fillers_from(path: Path) -> dict[tuple[str, Pool], tuple[str, ...]]:
    """Fillers by language and pool.

    Raises:
        DataError: For a line that is not language, pool and text, or an entry that stands in two pools.
    """
    found: dict[tuple[str, Pool], list[str]] = {}
    pool_of: dict[tuple[str, str], str] = {}
    by_name: Mapping[str, Pool] = {pool: pool for pool in POOLS}
    for line, entry in lexicon_lines(path):
        fields = entry.split(maxsplit=2)
        if len(fields) != 3 or fields[1] not in by_name:
            expected = "write language, pool (challenge, treatment or sealed) and text"
            raise DataError(f"'{entry}' is no entry; {expected}", path=path, line=line)
        language, pool, text = fields
        if pool_of.setdefault((language, text), pool) != pool:
            first = pool_of[(language, text)]
            raise DataError(f"'{text}' stands in pools {first} and {pool}; keep one", path=path, line=line)
        found.setdefault((language, by_name[pool]), []).append(text)
    return {key: tuple(texts) for key, texts in found.items()}


@cache
def shape_alike() -> dict[str, tuple[str, ...]]:
    """Chinese characters that look like each character."""
    return groups_from(lexicon_path("shape_alike.zh.txt"))


@cache
def fillers() -> dict[tuple[str, Pool], tuple[str, ...]]:
    """The shipped fillers by language and pool."""
    return fillers_from(lexicon_path("fillers.txt"))


@cache
def homophones() -> dict[str, tuple[str, ...]]:
    """Common Chinese characters that sound like each common one, tone included, the commonest first.

    A character's first reading stands for it: a typist who picks the wrong character has typed that one.
    """
    from pypinyin.pinyin_dict import pinyin_dict

    characters = "".join(line for _, line in lexicon_lines(lexicon_path("common_characters.zh.txt")))
    by_sound: dict[str, list[str]] = {}
    for character in characters:
        reading = pinyin_dict.get(ord(character))
        if reading:
            by_sound.setdefault(reading.split(",")[0], []).append(character)
    return {
        character: tuple(other for other in group if other != character)
        for group in by_sound.values()
        for character in group
        if len(group) > 1
    }
