"""What a transform makes of a suite's items, before and after, with the places that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.digest import digest
from harness.core.errors import UsageError
from harness.core.variants import Edit, Variant
from harness.suites.suite import Suite
from harness.transforms.plan import Plan, build_variants, plan_from_json
from harness.transforms.surface import parts_of

Marked = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """One changed part, its text before and after in pieces; a marked piece is what changed."""

    name: str
    before: Marked
    after: Marked


@dataclass(frozen=True, slots=True)
class Preview:
    """One variant beside its source."""

    variant: Variant
    parts: tuple[PreviewPart, ...]
    answer: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Previews:
    """The variants shown, of how many, and the reasons of what was rejected."""

    shown: tuple[Preview, ...]
    n_variants: int
    n_items: int
    rejected: tuple[tuple[str, int], ...]


def preview(
    suite: Suite,
    *,
    transform: str | None = None,
    params: Mapping[str, Any] | None = None,
    n: int = 5,
    seed: int = 0,
) -> Previews:
    """The first n variants by a hash of their ids, so that a small preview is a fair sample.

    Args:
        suite: A loaded suite.
        transform: The one to apply; the suite's own plan where it is None.
        params: Of that transform.
        n: How many to show, at least 1.
        seed: Of the transforms.

    Raises:
        UsageError: If n is below 1, or parameters are given without a transform.
        TransformError: If nothing comes of any item.

    Example:
        >>> from harness.suites import load_suite
        >>> found = preview(load_suite("noisy-input"), transform="traditional", n=2)
        >>> [one.parts[0].name for one in found.shown]
        ['question', 'question']
    """
    if n < 1:
        raise UsageError(f"n must be at least 1 variant, got {n}.")
    if transform is None and params:
        raise UsageError("Parameters were given without a transform; name it with --transform.")
    plan: Plan = suite.plan if transform is None else plan_from_json([{transform: dict(params or {})}])
    if not plan.steps:
        raise UsageError(f"Suite '{suite.name}' has no variants of its own; name one with --transform.")
    built = build_variants(suite.items, plan, seed=seed)
    sources = {item.item_id: item for item in suite.items}
    made = [one for one in built.variants if one.transform != "source" and one.item != sources[one.item_id]]
    made.sort(key=lambda one: digest("preview/1", one.variant_id))
    shown = tuple(_preview(sources, one) for one in made[:n])
    reasons = Counter(one.reason for one in built.rejected)
    return Previews(shown, len(made), len(suite.items), tuple(reasons.most_common()))


def _preview(sources: Mapping[str, Any], variant: Variant) -> Preview:
    source = sources[variant.item_id]
    before = {part.name: part.text for part in parts_of(source.prompt)}
    after = {part.name: part.text for part in parts_of(variant.item.prompt)}
    parts = []
    for name in dict.fromkeys(edit.part for edit in variant.edits):
        edits = [edit for edit in variant.edits if edit.part == name]
        old, new = before.get(name), after.get(name)
        pieces = None if old is None or new is None else _marked(old, new, edits)
        if pieces is None:  # an order, a list, or a part that several steps of a chain changed
            told = tuple((edit.before, True) for edit in edits), tuple((edit.after, True) for edit in edits)
            pieces = told if old is None or new is None else (((old, False),), ((new, False),))
        parts.append(PreviewPart(name, *pieces))
    if not parts:
        parts = [
            PreviewPart(name, ((text, False),), ((after.get(name, ""), False),))
            for name, text in before.items()
            if after.get(name) != text
        ]
    return Preview(variant, tuple(parts), _answers(source, variant))


def _marked(before: str, after: str, edits: list[Edit]) -> tuple[Marked, Marked] | None:
    """Both texts in pieces, or None where the edits do not lead from one to the other."""
    old: list[tuple[str, bool]] = []
    new: list[tuple[str, bool]] = []
    done = 0
    for edit in sorted(edits, key=lambda one: one.start):
        end = edit.start + len(edit.before)
        if edit.start < done or before[edit.start : end] != edit.before:
            return None
        for pieces, changed in ((old, edit.before), (new, edit.after)):
            pieces += [(before[done : edit.start], False), (changed, True)]
        done = end
    old.append((before[done:], False))
    new.append((before[done:], False))
    return (tuple(old), tuple(new)) if "".join(text for text, _ in new) == after else None


def _answers(source: Any, variant: Variant) -> tuple[str, str] | None:
    """The target before and after, where it moved."""
    from harness.core.codec import target_to_json
    from harness.core.digest import canonical_json

    if source.target == variant.item.target or source.target is None or variant.item.target is None:
        return None
    return canonical_json(target_to_json(source.target)), canonical_json(target_to_json(variant.item.target))
