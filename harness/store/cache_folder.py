"""Where this user's caches lie; everything in it may be deleted."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$HARNESS_CACHE, else `sft-harness` in $XDG_CACHE_HOME, else in `~/.cache`."""
    named = os.environ.get("HARNESS_CACHE")
    if named:
        return Path(named).expanduser()
    # The XDG specification: unset, empty or relative means the default.
    general = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (general if general.is_absolute() else Path.home() / ".cache") / "sft-harness"
