"""Near misses of a name, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from harness.core.errors import UnknownName


def suggestion(name: str, known: Iterable[str]) -> str:
    """The clause that offers the nearest known names, or "" where none is near.

    Example:
        >>> suggestion("rogue_l", ["rouge_l_score", "accuracy"])
        " Did you mean 'rouge_l_score'?"
        >>> suggestion("xyz", ["accuracy"])
        ''
    """
    near = get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    if not near:
        return ""
    quoted = [f"'{candidate}'" for candidate in near]
    return f" Did you mean {' or '.join(quoted)}?"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for a name that is not registered.

    Example:
        >>> str(unknown_name("metric", "acuracy", ["accuracy"]))
        "No metric named 'acuracy'. Did you mean 'accuracy'?"
    """
    names = sorted(known)
    hint = suggestion(name, names)
    if not hint and names:
        hint = f" Known: {', '.join(names)}."
    return UnknownName(f"No {kind} named '{name}'.{hint}")
