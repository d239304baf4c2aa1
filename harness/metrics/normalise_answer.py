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
_HOLDER = {".": "\ue000", "-": "\ue001", "++": "\ue002", "#": "\ue003"}
_HELD = {holder: mark for mark, holder in _HOLDER.items()}
_SPACE_AROUND_HAN = re.compile(r"(?<=[\u3400-\u4dbf\u4e00-\u9fff])\s+|\s+(?=[\u3400-\u4dbf\u4e00-\u9fff])")


@cache
def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def folded(text: str) -> str:
    """NFKC (full-width to half-width), minus signs made one, and case folded; punctuation stays.

    Example:
        >>> folded("ＡＢＣ　１２３")
        'abc 123'
    """
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").casefold()


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
    flat = folded(text)
    held = _KEPT.sub(lambda match: _HOLDER[match.group()], _THOUSANDS.sub("", flat))
    bare = "".join(character for character in held if not _is_punctuation(character))
    for holder, mark in _HELD.items():
        bare = bare.replace(holder, mark)
    bare = " ".join(bare.split())
    if language.split("-")[0] == "en":
        bare = _ARTICLE.sub("", bare)
    bare = _SPACE_AROUND_HAN.sub("", bare)
    return bare or " ".join(flat.split())
