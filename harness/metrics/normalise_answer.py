"""One form for answers that differ only in width, case, punctuation, spacing or an English article."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import cache

# A mark that carries meaning stays: a decimal point, a leading minus, "C++" and "C#".
_KEPT = re.compile(r"(?<=\d)\.(?=\d)|(?<!\w)-(?=\.?\d)|(?<=[a-z])(?:\+\+|#)(?!\w)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# An article stands before a word: "Vitamin A" ends in a name.
_ARTICLE = re.compile(r"\b(?:a|an|the)\s+(?=\S)")
LONGEST_RUN, SHORT = 30, 1_000
MOST_FOLDED = 131_072  # NFKC turns one character into up to 18
_HOLDER = {".": "\ue000", "-": "\ue001", "++": "\ue002", "#": "\ue003"}
_HELD = {holder: mark for mark, holder in _HOLDER.items()}
_SPACE_AROUND_HAN = re.compile(r"(?<=[\u3400-\u4dbf\u4e00-\u9fff])\s+|\s+(?=[\u3400-\u4dbf\u4e00-\u9fff])")


@cache
def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def nfkc(text: str) -> str:
    """NFKC in linear time: of a run of combining marks only the first 30 are kept.

    That many is what Unicode's stream-safe format allows; the library sorts longer runs in quadratic time (32,768
    pairs of accents took 11 s), which a hostile output could use.

    Example:
        >>> nfkc("ＡＢＣ"), len(nfkc("a" + "\u0316" * 5000))
        ('ABC', 31)
    """
    if text.isascii():
        return text
    if len(text) > SHORT:
        kept, run = [], 0
        for character in text:
            run = run + 1 if unicodedata.combining(character) else 0
            if run <= LONGEST_RUN:
                kept.append(character)
        text = "".join(kept)
    return unicodedata.normalize("NFKC", text)


def folded(text: str) -> str:
    """NFKC (full-width to half-width), minus signs made one, and case folded; punctuation stays.

    Example:
        >>> folded("ＡＢＣ　１２３")
        'abc 123'
    """
    return nfkc(text).replace("\u2212", "-").casefold()


def normalise_answer(text: str, *, language: str = "en") -> str:
    """An answer in the form in which answers are compared.

    NFKC, case, punctuation (Chinese included), thousands separators, spacing, and, in English, articles
    before a word. Like SQuAD's form, but a decimal point, a leading minus, "C++" and "C#" stay, and a text
    of nothing but punctuation is kept, so that "+" and "-" differ. Not a reading of numbers: "9" and "nine"
    differ.

    Args:
        text: The answer.
        language: Articles are dropped for "en" only.

    Returns:
        The normalised text; equal texts are equal answers.

    Example:
        >>> normalise_answer("The Museum, at 9:30!"), normalise_answer("３．１４％")
        ('museum at 930', '3.14')
        >>> normalise_answer("Vitamin A") != normalise_answer("vitamin")
        True
    """
    flat = folded(text)[:MOST_FOLDED]
    held = _KEPT.sub(lambda match: _HOLDER[match.group()], _THOUSANDS.sub("", flat))
    bare = "".join(character for character in held if not _is_punctuation(character))
    for holder, mark in _HELD.items():
        bare = bare.replace(holder, mark)
    bare = " ".join(bare.split())
    if language.split("-")[0] == "en":
        bare = _ARTICLE.sub("", bare)
    bare = _SPACE_AROUND_HAN.sub("", bare)
    return bare or " ".join(flat.split())
