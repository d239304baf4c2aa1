"""One console for all tables; plain text where the output is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from harness.core.visible import visible

PIPE_WIDTH = 180


class _VisibleConsole(Console):
    """A console that prints no control character of a text: names, file contents and outputs are hostile.

    Subclassed because Rich has no hook for it; every caller would have to remember otherwise.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """As Rich's, with texts made visible."""
        super().print(*(visible(each) if isinstance(each, str) else each for each in objects), **options)


class _VisibleTable(Table):
    """A table whose cells hold no control character, for the same reason."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """As Rich's, with texts made visible."""
        super().add_row(*(visible(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def console() -> Console:
    """Standard output; wide and without colour in a pipe. Markup in our strings is off."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return _VisibleConsole(width=width, highlight=False, markup=False, emoji=False)


def table(*columns: str, title: str | None = None, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns of `right` are aligned to the right."""
    made = _VisibleTable(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            # A rule's name or an interval broken over lines cannot be read or copied.
            no_wrap=column in right or column in ("suite", "rule", "run", "95 % interval", ""),
        )
    return made
