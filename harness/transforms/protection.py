"""Spans that noise must leave alone: marked strings, answers, numbers, addresses, code and JSON keys."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from harness.core.items import Item, Label, Target

Span = tuple[int, int]

_HARD = re.compile(
    r"```.*?```|`[^`\n]+`"  # code
    r"|https?://[^\s，。）)]+|www\.[^\s，。）)]+"
    r"|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"  # e-mail
    r"|\"[^\"\n]{1,80}\"(?=\s*:)"  # JSON keys
    r"|\{[A-Za-z_][A-Za-z0-9_]*\}|</?[A-Za-z][^<>\n]{0,80}>"  # placeholders, tags
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[A-Za-z_]*\d[A-Za-z0-9_]*(?:[-./:,][A-Za-z0-9_]+)*%?",  # "10.5%", "2024-01-01", "A4"
    re.DOTALL,
)
# Words whose misspelling changes what is asked: number words and negations.
NUMERALS = "〇零一二三四五六七八九十百千万亿两半"
NEGATORS = "不没无非未别勿莫否"
_WORDS = re.compile(
    rf"[{NUMERALS}{NEGATORS}]"
    r"|\b(?:no|not|nor|non|none|never|neither|cannot|without|except|unless|\w{2,6}n['’]t"
    r"|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundred|thousand|million|billion|half|once|twice|first|second|third)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Protection:
    """What of one text is protected.

    Args:
        spans: Merged, in order.
        counts: How often each protected string occurs.
        mask: One byte per character, 1 where protected.
    """

    spans: tuple[Span, ...]
    counts: tuple[tuple[str, int], ...]
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
    spans = [match.span() for match in _HARD.finditer(text)]
    if words:
        spans += [match.span() for match in _WORDS.finditer(text)]
    folded = text.casefold()
    for string in strings:
        if string and string.casefold() in folded:
            spans += [match.span() for match in _literal(string).finditer(text)]
    counts = Counter(text[start:end] for start, end in spans)
    merged = _merged(spans)
    mask = bytearray(len(text))
    for start, end in merged:
        mask[start:end] = b"\1" * (end - start)
    return Protection(merged, tuple(sorted(counts.items())), bytes(mask))


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
