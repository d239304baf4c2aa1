"""One console for all tables; plain text where the output is no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_WIDTH = 180


def console() -> Console:
    """Standard output; wide and without colour in a pipe. Markup in our strings is off: output is hostile."""
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def table(*columns: str, title: str | None = None, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns of `right` are aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            # A rule's name or an interval broken over lines cannot be read or copied.
            no_wrap=column in right or column in ("suite", "rule", "run", "95 % interval"),
        )
    return made


def visible(text: str, *, limit: int = 400) -> str:
    """Model output made safe to print: control and invisible characters as escapes, cut.

    Example:
        >>> visible("a\\x1b[31mb\\u202ec")
        'a\\\\x1b[31mb\\\\u202ec'
    """
    from unicodedata import category

    shown = "".join(
        character if character == "\n" or category(character)[0] != "C" else _escape(character)
        for character in text[:limit]
    )
    return shown + (" …" if len(text) > limit else "")


def _escape(character: str) -> str:
    return (
        character.encode("unicode_escape").decode("ascii")
        if ord(character) < 0xD800 or ord(character) > 0xDFFF
        else f"\\u{ord(character):04x}"
    )
