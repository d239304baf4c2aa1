"""Scoring and generation on a Transformers model in this process; importing this loads no torch."""

from __future__ import annotations

from harness.engine.checkpoint import Checkpoint, open_checkpoint
from harness.engine.identity import CheckpointIdentity
from harness.engine.local_backend import LocalBackend

__all__ = ["Checkpoint", "CheckpointIdentity", "LocalBackend", "open_checkpoint"]
