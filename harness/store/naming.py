"""What runs and names may be called, so that each is one plain file name on every file system."""

from __future__ import annotations

import re

from harness.core.errors import StoreError

ALLOWED = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
# Folders of the store itself.
RESERVED = frozenset({"items", "names", "promotions", "sessions", "ratings", "journal", "cache"})


def checked(kind: str, name: str) -> str:
    """The name itself, where it is allowed.

    Args:
        kind: What is named, for the message.
        name: The name.

    Raises:
        StoreError: If it has other characters than letters, digits, ".", "_", "-", starts with a dot, is
            longer than 128 characters, or is one of the store's own folders.

    Example:
        >>> checked("name", "release-2026.1")
        'release-2026.1'
    """
    if name.lower() in RESERVED:
        raise StoreError(f"The {kind} '{name}' is taken by the store itself; choose another.")
    if not ALLOWED.fullmatch(name):
        raise StoreError(
            f"The {kind} {name!r} is not allowed: use 1 to 128 letters, digits, '.', '_' or '-', "
            "with no dot in front."
        )
    return name
