"""Spans that noise must leave alone: marked strings, answers, numbers, addresses, code and JSON keys."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from harness.core.items import Item, Label, Target

Span = tuple[int, int]
Counts = tuple[tuple[str, int], ...]

# Each pattern is tried only on texts that hold its sign: most texts hold none.
_HARD: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("`", re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)),  # code
    ("@", re.compile(r"(?<![\w.%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)),
    ('"', re.compile(r"\"[^\"\n]{1,80}\"\s*:")),  # JSON keys and their colons
    ("{", re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")),  # placeholders
    ("<", re.compile(r"</?[A-Za-z][^<>\n]{0,80}>")),  # tags
    ("-", re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
)
_ADDRESS = re.compile(r"https?://[^\s，。）)]+|www\.[^\s，。）)]+")
# A number takes its whole run: "10.5%", "2024-01-01", "A4".
_NUMBER = re.compile(r"\d[A-Za-z0-9_]*(?:[-./:,][A-Za-z0-9_]+)*%?")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
# Words whose misspelling changes what is asked: number words and negations.
NUMERALS = "〇零一二三四五六七八九十百千万亿两半"
NEGATORS = "不没无非未别勿莫否"
_CHINESE_WORDS = re.compile(f"[{NUMERALS}{NEGATORS}]")
_TOKEN = re.compile(r"[a-z]{2,}")
_NOT = re.compile(r"[A-Za-z]{2,6}n['’]t\b", re.IGNORECASE)
_ENGLISH_WORDS = frozenset(
    """no not nor non none never neither cannot without except unless zero one two three four five six seven eight
    nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty
    sixty seventy eighty ninety hundred thousand million billion half once twice first second third""".split()
)


@lru_cache(maxsize=256)
def _any_of(words: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(sorted(words))})\b", re.IGNORECASE | re.ASCII)


def _words(text: str) -> list[Span]:
    found: list[Span] = []
    folded = text.lower()
    # A set first, for a pattern of all the words is slow and most texts hold one or two of them.
    held = _ENGLISH_WORDS.intersection(_TOKEN.findall(folded))
    if held:
        found += [match.span() for match in _any_of(held).finditer(text)]
    if "n't" in folded or "n’t" in folded:
        found += [match.span() for match in _NOT.finditer(text)]
    if not text.isascii():
        found += [match.span() for match in _CHINESE_WORDS.finditer(text)]
    return found


def _hard(text: str) -> list[Span]:
    found: list[Span] = []
    for sign, pattern in _HARD:
        if sign in text:
            found += [match.span() for match in pattern.finditer(text)]
    if "http" in text or "www." in text:
        found += [match.span() for match in _ADDRESS.finditer(text)]
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        # Letters before the digit are looked for backwards: a pattern that begins with them is slow everywhere.
        while start and text[start - 1] in _LETTERS:
            start -= 1
        found.append((start, end))
    return found


@dataclass(frozen=True, slots=True)
class Protection:
    """What of one text is protected.

    Args:
        spans: Merged, in order.
        counts: How often each protected string occurs.
        mask: One byte per character, 1 where protected.
    """

    spans: tuple[Span, ...]
    counts: Counts
    mask: bytes


@lru_cache(maxsize=4096)
def _literal(string: str) -> re.Pattern[str]:
    """The string wherever it stands as a word of its own, in any case."""
    ahead = r"(?<![A-Za-z0-9])" if string[0].isascii() and string[0].isalnum() else ""
    behind = r"(?![A-Za-z0-9])" if string[-1].isascii() and string[-1].isalnum() else ""
    return re.compile(ahead + re.escape(string) + behind, re.IGNORECASE)


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@lru_cache(maxsize=8192)
def protection(text: str, strings: tuple[str, ...] = (), *, words: bool = True) -> Protection:
    """What no noise may edit in a text.

    Args:
        text: The text.
        strings: Strings marked in place, and the answers.
        words: Whether number words and negations count too.

    Example:
        >>> protection("Call 555-0100, not Ada.", ("ada",)).spans
        ((5, 13), (15, 18), (19, 22))
    """
    spans = _spans(text, strings, words=words)
    merged = _merged(spans)
    mask = bytearray(len(text))
    for start, end in merged:
        mask[start:end] = b"\1" * (end - start)
    return Protection(merged, _counted(text, spans), bytes(mask))


@lru_cache(maxsize=8192)
def protected_counts(text: str, strings: tuple[str, ...] = (), *, words: bool = True) -> Counts:
    """`Protection.counts` alone, which is all that a changed text is asked for.

    Example:
        >>> protected_counts("nine or 9 or nine", words=True)
        (('9', 1), ('nine', 2))
    """
    return _counted(text, _spans(text, strings, words=words))


def _spans(text: str, strings: tuple[str, ...], *, words: bool) -> list[Span]:
    spans = _hard(text)
    if words:
        spans += _words(text)
    folded = text.casefold()
    for string in strings:
        if string and string.casefold() in folded:
            spans += [match.span() for match in _literal(string).finditer(text)]
    return spans


def _counted(text: str, spans: list[Span]) -> Counts:
    if not spans:
        return ()
    return tuple(sorted(Counter([text[start:end] for start, end in spans]).items()))


@lru_cache(maxsize=4096)
def _answers(target: Target | None, options: tuple[str, ...], labels: tuple[Label, ...]) -> tuple[str, ...]:
    found = [*options, *(name for label in labels for name in label.names)]
    if target is not None:
        found += target.answers
        found += [
            str(value) for _, value in target.fields if value is not None and not isinstance(value, bool)
        ]
    return tuple(dict.fromkeys(string.strip() for string in found if string.strip()))


def answers_of(item: Item) -> tuple[str, ...]:
    """The strings that answer the item or are offered as answers: they are never edited where they occur.

    References of free text are whole texts, not strings to look for, and are left out.
    """
    return _answers(item.target, item.prompt.options, item.prompt.labels)
