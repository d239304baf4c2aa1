"""The lexicon of synonyms: its lines read, English words inflected, and the frames that a word must stand in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from harness.core.errors import DataError
from harness.transforms.declaration import Pool
from harness.transforms.lexicons import dealt, lexicon_lines, lexicon_path
from harness.transforms.protection import protection

Kind = Literal["v", "n", "N", "a", "r", "w", "d", "c"]
KINDS = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True)
class Sense:
    """What a word in one form may be replaced by, and where.

    Args:
        kind: Part of speech, as in the lexicon.
        others: Replacements in the same form.
        never_before: The next word must be none of these.
        only_before: The next word must be one of these, where any are named.
    """

    kind: Kind
    others: tuple[str, ...]
    never_before: frozenset[str] = frozenset()
    only_before: frozenset[str] = frozenset()


def verb_forms(verb: str) -> tuple[str, ...]:
    """Base, -s, past, participle and -ing of a regular verb that doubles no consonant.

    Example:
        >>> verb_forms("carry"), verb_forms("mix")[1:3], verb_forms("die")[-1]
        (('carry', 'carries', 'carried', 'carried', 'carrying'), ('mixes', 'mixed'), 'dying')
    """
    vowel_before_y = len(verb) > 1 and verb[-2] in "aeiou"
    if verb.endswith("y") and not vowel_before_y:
        past = f"{verb[:-1]}ied"
    else:
        past = f"{verb}d" if verb.endswith("e") else f"{verb}ed"
    if verb.endswith("ie"):
        going = f"{verb[:-2]}ying"
    else:
        going = f"{verb[:-1]}ing" if verb.endswith("e") and not verb.endswith("ee") else f"{verb}ing"
    return verb, plural(verb), past, past, going


def plural(noun: str) -> str:
    """The regular plural of a noun, which is also the -s form of a verb.

    Example:
        >>> plural("boundary"), plural("boss"), plural("journey"), plural("road")
        ('boundaries', 'bosses', 'journeys', 'roads')
    """
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


def _forms(written: str, kind: Kind, language: str) -> tuple[str, ...]:
    """All forms of a word, given or by rule; Chinese words have one."""
    given = tuple(form.strip() for form in written.split("/"))
    if language == "zh":
        return given
    if kind == "v":
        return verb_forms(given[0]) if len(given) == 1 else given
    if kind in ("n", "N"):
        return (given[0], plural(given[0])) if len(given) == 1 else given
    return given


def _entry(language: str, rest: str) -> tuple[Kind, str, list[str], frozenset[str], frozenset[str]] | None:
    """Kind, word, replacements and frames of one line, or None where it has another shape."""
    kind, _, rest = rest.partition(" ")
    word, sign, listed = rest.partition(" > ")
    fields = listed.split()
    never = frozenset(field[1:] for field in fields if field[0] == "!")
    only = frozenset(field[1:] for field in fields if field[0] == "+")
    others = [
        " ".join(word for word in other.split() if word[0] not in "!+").strip()
        for other in listed.split(", ")
    ]
    if language not in ("en", "zh") or kind not in KINDS or not sign or not word or not all(others):
        return None
    return kind, word, others, never, only  # type: ignore[return-value]


def synonyms_from(path: Path) -> dict[str, dict[str, list[Sense]]]:
    """Senses by language and form.

    Raises:
        DataError: For a line of another shape, a word given twice in one kind, a word that replaces itself, forms
            that do not match, or a number or a negation.
    """
    found: dict[str, dict[str, list[Sense]]] = {"en": {}, "zh": {}}
    seen: set[tuple[str, str, str]] = set()
    for line, text in lexicon_lines(path):
        language, _, rest = text.partition(" ")
        entry = _entry(language, rest)
        if entry is None:
            expected = "write language, kind, word, ' > ' and replacements between commas"
            raise DataError(f"'{text}' is no entry; {expected}", path=path, line=line)
        kind, word, others, never, only = entry
        if (language, kind, word) in seen:
            raise DataError(f"'{word}' has two lines of one kind; join them", path=path, line=line)
        seen.add((language, kind, word))
        forms = _forms(word, kind, language)
        replacements = [_forms(other, kind, language) for other in others]
        if any(len(one) != len(forms) for one in replacements):
            raise DataError(f"'{text}': word and replacements have unlike many forms", path=path, line=line)
        for place, form in enumerate(forms):
            same = tuple(dict.fromkeys(one[place] for one in replacements))
            if form in same:
                raise DataError(f"'{form}' would replace itself", path=path, line=line)
            if any(protection(one).spans for one in (form, *same)):
                raise DataError(f"'{text}' holds a number or a negation", path=path, line=line)
            senses = found[language].setdefault(form, [])
            if all(sense.others != same for sense in senses):
                senses.append(Sense(kind, same, never, only))
    return found


@cache
def synonyms(language: str, pool: Pool) -> dict[str, Sense]:
    """The sense of each form whose replacements fell to a pool. Forms with unlike senses are left out."""
    table = {}
    for form, senses in synonyms_from(lexicon_path("synonyms.txt"))[language].items():
        if len(senses) > 1:  # past and participle differ in the replacement: which it is cannot be told
            continue
        others = dealt(form, senses[0].others, pool)
        if others:
            kept = senses[0]
            table[form] = Sense(kept.kind, others, kept.never_before, kept.only_before)
    return table
