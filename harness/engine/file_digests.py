"""Digests of files' content, remembered while the files stay unchanged."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from harness.store.cache_folder import cache_folder

_CHUNK = 1 << 20
# A file touched this recently could change again without its time stamp showing it (git's "racily clean").
_SETTLED_SECONDS = 2.0


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, read as a stream."""
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def file_digests(paths: Iterable[Path], *, rehash: bool = False, cache: Path | None = None) -> list[str]:
    """The SHA-256 of each file, from memory where path, size, times and inode are as they were.

    Args:
        paths: Existing files.
        rehash: Read every file, whatever is remembered.
        cache: Folder of the memory; the user's cache folder by default. Unwritable: nothing is remembered.
    """
    memory = (cache or cache_folder()) / "file-digests.json"
    known = {} if rehash else _remembered(memory)
    digests, learnt = [], {}
    for path in paths:
        key = _key(path)
        if key not in known:
            settled = time.time() - path.stat().st_mtime > _SETTLED_SECONDS
            known[key] = file_digest(path)
            if settled:
                learnt[key] = known[key]
        digests.append(known[key])
    if learnt:
        _remember(memory, learnt)
    return digests


def _key(path: Path) -> str:
    facts = path.stat()
    times = f"{facts.st_mtime_ns}:{facts.st_ctime_ns}"
    return f"{path.resolve()}|{facts.st_size}:{times}:{facts.st_dev}:{facts.st_ino}"


def _remembered(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # absent, unreadable or damaged: the files are read again
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, learnt: dict[str, str]) -> None:
    """Replaces the memory in one step; of two writers the last wins, which costs only time."""
    text = json.dumps({**_remembered(memory), **learnt}, indent=0, sort_keys=True)
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=memory.parent, suffix=".new")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(name, memory)
    except OSError:  # a read-only home: only time is lost
        return
