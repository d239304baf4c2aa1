"""All error classes of a case, and which of them is primary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from harness.core.registry import Registry
from harness.core.scores import Case
from harness.taxonomy.declare import STAGES, WRONG_ONLY, ClassSpec, Detector

ERROR_CLASSES = Registry("error class", "harness.taxonomy", group="sft_harness.error_classes")
REST = "other"
# The order in which one class is primary over the next; a third party's stands by its stage and order.
PRECEDENCE: tuple[str, ...] = (
    "output_empty",
    "repetition_loop",
    "no_end_of_sequence",
    "output_truncated",
    "invalid_format",
    "label_outside_set",
    "refusal",
    "copied_demonstration",
    "extraction_failed",
    "numeric_wrong_value",
    "other",
)


@dataclass(frozen=True, slots=True)
class Classified:
    """What is wrong with a case.

    Args:
        flags: Every class that holds, in order of precedence.
        primary: The first of them for a wrong answer; None for a right one.
        details: (class, detail) for the classes that say more.
    """

    flags: tuple[str, ...] = ()
    primary: str | None = None
    details: tuple[tuple[str, str], ...] = ()


def specification(name: str) -> ClassSpec:
    """What an error class declares.

    Raises:
        UnknownName: With the nearest names.

    Example:
        >>> specification("repetition_loop").stage
        'termination'
    """
    spec: ClassSpec = ERROR_CLASSES.get(name).specification  # type: ignore[attr-defined]
    return spec


@cache
def _detectors() -> tuple[tuple[ClassSpec, Detector], ...]:
    """Every class but the rest, by stage, order and name; read once, since a run classifies each item."""
    specs = [specification(name) for name in ERROR_CLASSES.names() if name != REST]
    ordered = sorted(specs, key=lambda spec: (STAGES.index(spec.stage), spec.order, spec.name))
    return tuple((spec, ERROR_CLASSES.get(spec.name)) for spec in ordered)


def classify(case: Case, *, correct: bool | None) -> Classified:
    """The error classes of a case.

    A right answer keeps the classes that hold whatever the content (cut off, looping, malformed) and has no
    primary one. Where nobody can say whether it is right (None), a primary is named if a class holds, never
    `other`. A failed answer is missing, not wrong, and has none.

    Args:
        case: The answered variant.
        correct: Whether the primary metric counts it as right.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> classify(example_case(Example(output="a bank", answers=("a museum",))), correct=False).primary
        'other'
        >>> looping = Example(output="nine" + " again" * 20, answers=("nine",), finish="length")
        >>> classify(example_case(looping), correct=False).flags
        ('repetition_loop',)
    """
    if case.prediction.outcome == "failed":
        return Classified()
    flags, details = [], []
    for spec, detect in _detectors():
        if correct and spec.stage in WRONG_ONLY:
            continue
        found = detect(case)
        if found is None:
            continue
        flags.append(spec.name)
        if found.detail is not None:
            details.append((spec.name, found.detail))
    if correct is False and not flags:
        flags.append(REST)
    primary = flags[0] if flags and not correct else None
    return Classified(tuple(flags), primary, tuple(details))
