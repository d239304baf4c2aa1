"""What answers requests: a checkpoint in this process, or a function that stands in for one."""

from __future__ import annotations

from harness.backends.scripted import ScriptedBackend, scripted
from harness.engine import LocalBackend

__all__ = ["LocalBackend", "ScriptedBackend", "scripted"]
