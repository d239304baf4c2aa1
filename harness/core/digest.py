"""Content digests: equal content, equal id, on every machine and Python version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

# Made once: `json.dumps` would make an encoder for every call.
_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_AS_GIVEN = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
ID_LENGTH = 24  # 96 bits of hexadecimal: no collision at a billion items


def canonical_json(value: Any, *, sort_keys: bool = True) -> str:
    """JSON with sorted keys, no spaces, no ASCII escapes; NaN is refused.

    Unsorted it keeps the order of the keys, for what is read back and not only digested.

    Lone surrogates, which JSON text may carry, are kept as escapes so that any item has an id.

    Example:
        >>> canonical_json({"b": 1, "a": "菜"})
        '{"a":"菜","b":1}'
    """
    text = (_SORTED if sort_keys else _AS_GIVEN).encode(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def digest(kind: str, *parts: Any, length: int = ID_LENGTH) -> str:
    """A short content id of JSON-able parts; `kind` separates and versions the name spaces.

    Example:
        >>> digest("item/1", "en") == digest("item/1", "en")
        True
        >>> digest("item/1", "en") == digest("target/1", "en")
        False
    """
    payload = canonical_json([kind, *parts]).encode("utf-8")
    return hashlib.sha256(payload).hexdigest()[:length]


def digest_of_ids(kind: str, ids: Iterable[str]) -> str:
    """The digest of a set of ids, whatever their order.

    Example:
        >>> digest_of_ids("suite/1", ["b", "a"]) == digest_of_ids("suite/1", ["a", "b"])
        True
    """
    return digest(kind, sorted(ids))
