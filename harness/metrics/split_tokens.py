"""Tokens to compare texts by: words where words are spaced, single characters in Chinese and Japanese."""

from __future__ import annotations

import re

from harness.metrics.normalise_answer import folded

# Han (with its extensions and compatibility forms), kana, iteration marks.
UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
)
_WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+|[^\w\s\x00-\x7f\u2000-\u206f\u3000-\u303f]")
_PIECE = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")


def split_tokens(text: str) -> list[str]:
    """Words and single Chinese characters, case and width folded; punctuation and ASCII symbols are dropped.

    On ASCII text this is exactly rouge-score's tokenizer (without its stemmer).

    Example:
        >>> split_tokens("He's 12, 北京 Ａ")
        ['he', 's', '12', '北', '京', 'a']
    """
    return _WORD.findall(folded(text))


def split_normalised(text: str) -> list[str]:
    """The tokens of a text that is already normalised: split at spaces, Chinese by characters.

    Example:
        >>> split_normalised("iphone 在北京 3.14")
        ['iphone', '在', '北', '京', '3.14']
    """
    return _PIECE.findall(text)
