"""sft-harness: did the fine-tuned model get worse, what kind of wrong is it, why, and what to train next.

The names below are loaded when first used, so that `import harness` stays light.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_LAZY = {
    "load_suite": "harness.suites",
    "open_checkpoint": "harness.engine",
    "evaluate": "harness.evaluation",
    "compare": "harness.comparison",
    "gate": "harness.gating",
    "open_store": "harness.store",
}

__all__ = ["__version__", *sorted(_LAZY)]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
