"""Text from models and files made safe to print."""

from __future__ import annotations

from unicodedata import category

_SEPARATORS = frozenset("\u2028\u2029")


def visible(text: str, *, limit: int | None = None) -> str:
    """The text with control, invisible and direction-changing characters as escapes, cut at a limit.

    Line breaks and tabs stay.

    Example:
        >>> visible("a\\x1b[31mb\\u202ec"), visible("abcdef", limit=3)
        ('a\\\\x1b[31mb\\\\u202ec', 'abc …')
    """
    made = "".join(_shown(character) for character in text[:limit])
    return made if limit is None or len(text) <= limit else made + " …"


def _shown(character: str) -> str:
    if character in "\n\t" or (category(character)[0] != "C" and character not in _SEPARATORS):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
