"""What a noise transform must not do: change nothing, or touch answers, options, labels or protected text."""

from __future__ import annotations

from harness.core.items import Item, Prompt, Text
from harness.transforms.declaration import TransformSpec
from harness.transforms.protection import answers_of, protected_counts, protection
from harness.transforms.surface import Part

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
    pairs = _changed_parts(before, after)
    if pairs is None:
        return "parts were added or removed"
    strings, words = answers_of(source), not spec.respells
    for part, text in pairs:
        marked = (*part.protect, *strings)
        guard = protection(part.text, marked, words=words)
        found = protected_counts(text, marked, words=words)
        if guard.counts != found:
            kept, there = dict(guard.counts), dict(found)
            lost = min(string for string in {*kept, *there} if kept.get(string) != there.get(string))
            return f"protected text {'lost' if lost in kept else 'made by accident'}: {lost!r} in {part.name}"
    return None


def _changed_parts(before: Prompt, after: Prompt) -> list[tuple[Part, str]] | None:
    """The parts whose text differs, each with its new text; None where parts came or went."""
    pairs: list[tuple[Part, str]] = []
    for name in ("question", "instruction", "system", "text"):
        one: Text | None = getattr(before, name)
        two: Text | None = getattr(after, name)
        if one is two:
            continue
        if one is None or two is None:
            return None
        if one.text != two.text:
            pairs.append((Part(name, one.text, one.protect), two.text))
    for at, (old, new) in enumerate(zip(before.context, after.context, strict=False)):
        if old.text != new.text:
            pairs.append((Part(f"context[{at}]", old.text, old.protect), new.text))
    for at, (said, told) in enumerate(zip(before.turns, after.turns, strict=False)):
        if said.text != told.text:
            pairs.append((Part(f"turns[{at}]", said.text, said.protect), told.text))
    same_size = len(before.context) == len(after.context) and len(before.turns) == len(after.turns)
    return pairs if same_size else None
