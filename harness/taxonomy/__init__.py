"""Error classes: one file each, found by file name; a case gets all that hold and one primary."""

from __future__ import annotations

from harness.taxonomy.classify import ERROR_CLASSES, PRECEDENCE, Classified, classify, specification
from harness.taxonomy.declare import ClassSpec, Found, error_class

MACHINERY = ("classify", "declare", "lenient", "output_text")

__all__ = [
    "ERROR_CLASSES",
    "MACHINERY",
    "PRECEDENCE",
    "ClassSpec",
    "Classified",
    "Found",
    "classify",
    "error_class",
    "specification",
]
