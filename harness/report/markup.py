"""HTML that is safe by construction: every text is escaped unless it was made here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from unicodedata import category

MOST_CHARACTERS = 20_000
_VOID = frozenset({"br", "hr", "meta", "img", "col", "wbr"})
_SEPARATORS = frozenset("\u2028\u2029")


class Markup(str):
    """HTML made by `element`; a plain `str` is text and is escaped."""

    __slots__ = ()


Content = Markup | str | None | Iterable["Content"]


def shown(text: str, *, limit: int = MOST_CHARACTERS) -> str:
    """Model output with every control, invisible or direction-changing character as an escape, cut at a limit.

    Line breaks and tabs stay.

    Example:
        >>> shown("a\\u202eb\\x00c")
        'a\\\\u202eb\\\\x00c'
    """
    kept = text[:limit]
    made = "".join(
        character
        if character in "\n\t" or (category(character)[0] != "C" and character not in _SEPARATORS)
        else _escaped(character)
        for character in kept
    )
    return made + (f" … ({len(text) - limit:,} more characters)" if len(text) > limit else "")


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def element(tag: str, *content: Content, **attributes: str | float | bool | None) -> Markup:
    """One element; `class_` and `for_` lose their last underscore, inner underscores become hyphens.

    Text and attribute values are escaped; an attribute of None or False is left out, True stands alone.

    Example:
        >>> element("td", "<b>", element("i", "x"), class_="number", aria_label='"')
        '<td class="number" aria-label="&quot;">&lt;b&gt;<i>x</i></td>'
    """
    words = [tag]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        name = name.rstrip("_").replace("_", "-")
        words.append(name if value is True else f'{name}="{escape(_attribute(value))}"')
    opening = f"<{' '.join(words)}>"
    if tag in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{joined(content)}</{tag}>")


def _attribute(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def joined(content: Content) -> Markup:
    """The pieces one after another, texts escaped.

    Example:
        >>> joined(["a & b", None, element("br")])
        'a &amp; b<br>'
    """
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(escape(content))
    return Markup("".join(joined(piece) for piece in content))


def identifier(*parts: str) -> str:
    """A fragment name for links inside a page, made of harmless characters only.

    Example:
        >>> identifier("rule", "a::b <c>")
        'rule-a-b-c'
    """
    return "-".join(re.sub(r"[^\w.]+", "-", part).strip("-") for part in parts)
