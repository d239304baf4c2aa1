"""Functions from an item to changed items, one file each; each serves as challenge and as treatment."""

from __future__ import annotations

from harness.core.registry import Registry as _Registry
from harness.transforms.declaration import (
    POOLS,
    Parameter,
    Pool,
    Preserves,
    TransformSpec,
    specification_of,
    transform,
)

__all__ = [
    "MACHINERY",
    "POOLS",
    "TRANSFORMS",
    "Parameter",
    "Pool",
    "Preserves",
    "TransformSpec",
    "specification",
    "specification_of",
    "transform",
]

# Files of this package that are no transforms.
MACHINERY = (
    "abstention",
    "additions",
    "answer_spans",
    "arrangements",
    "declaration",
    "entities",
    "form_wordings",
    "lexicons",
    "parameters",
    "phrases",
    "plan",
    "plan_entries",
    "polarity",
    "protection",
    "sentence_rules",
    "surface",
    "synonym_lexicon",
    "validity",
)

TRANSFORMS = _Registry("transform", __name__, group="sft_harness.transforms")


def specification(name: str) -> TransformSpec:
    """What a transform declares of itself.

    Raises:
        UnknownName: With the nearest names.

    Example:
        >>> specification("context_rotation").family
        'position'
    """
    return specification_of(TRANSFORMS.get(name), name)
