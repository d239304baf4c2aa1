"""What answers requests: a checkpoint in this process, a function that stands in for one, or a cache before either."""

from __future__ import annotations

from harness.backends.cached import CachedBackend
from harness.backends.scripted import ScriptedBackend, scripted
from harness.engine import LocalBackend

__all__ = ["CachedBackend", "LocalBackend", "ScriptedBackend", "scripted"]
