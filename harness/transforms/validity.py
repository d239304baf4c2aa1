"""What a noise transform must not do: change nothing, or touch answers, options, labels or protected text."""

from __future__ import annotations

from harness.core.items import Item
from harness.transforms.declaration import TransformSpec
from harness.transforms.protection import answers_of, protected_counts, protection
from harness.transforms.surface import parts_of

NOTHING_CHANGED = "nothing changed"


def noise_fault(source: Item, changed: Item, spec: TransformSpec) -> str | None:
    """Why a noise variant is rejected, or None where it is sound.

    Args:
        source: The item before the transform.
        changed: The item after it.
        spec: The transform's declaration.
    """
    before, after = source.prompt, changed.prompt
    if after == before:
        return NOTHING_CHANGED
    if changed.target != source.target:
        return "the target was edited"
    for name in ("options", "labels", "output", "order"):
        if getattr(after, name) != getattr(before, name):
            return f"the {name} were edited" if name.endswith("s") else f"the {name} was edited"
    strings, words = answers_of(source), not spec.respells
    old, new = parts_of(before), parts_of(after)
    if [part.name for part in old] != [part.name for part in new]:
        return "parts were added or removed"
    for part, edited in zip(old, new, strict=True):
        if part.text == edited.text:
            continue
        guard = protection(part.text, (*part.protect, *strings), words=words)
        found = protected_counts(edited.text, (*part.protect, *strings), words=words)
        if guard.counts != found:
            kept, there = dict(guard.counts), dict(found)
            lost = min(string for string in {*kept, *there} if kept.get(string) != there.get(string))
            return f"protected text {'lost' if lost in kept else 'made by accident'}: {lost!r} in {part.name}"
    return None
