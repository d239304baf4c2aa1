"""Asks for the option or label that is not right, where there are two; the other one becomes the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.core.items import Item, Target
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.polarity import with_instruction

_TOLD: dict[str, dict[Pool, str]] = {
    "en": {
        "challenge": "Give the answer that is not right.",
        "treatment": "Name the one that does not fit.",
        "sealed": "Choose the wrong one, not the right one.",
    },
    "zh": {
        "challenge": "请给出不正确的那个答案。",
        "treatment": "请选出不符合的一项。",
        "sealed": "请选错的那个，不要选对的。",
    },
}


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"instruction"},
    languages={"en", "zh"},
    unmet="not two options or two labels to choose from, or solved examples that show the usual answer",
)
def negated_request(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change whose instruction asks for the wrong one of two; the target is the other option or label.

    Of two, the one that is not right is known whatever is asked. Items with solved examples are left alone: those
    would show the usual answer. Each pool has its own wording.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(question=Text("Which is heavier?"), options=("iron", "cork"))
        >>> [change] = negated_request(Item("en", prompt, Target(option=0)), rng_for(0))
        >>> change.item.prompt.instruction.text, change.item.target.option
        ('Give the answer that is not right.', 1)
    """
    target, prompt = item.target, item.prompt
    if target is None or prompt.demonstrations:
        return
    if target.option is not None and len(prompt.options) == 2:
        other = Target(option=1 - target.option)
        moved = (prompt.options[target.option], prompt.options[1 - target.option])
    elif target.label is not None and len(prompt.labels) == 2:
        (label,) = [label for label in prompt.labels if label.id != target.label]
        other = Target(label=label.id)
        moved = (target.label, label.id)
    else:
        return
    language = item.language.split("-")[0]
    told = _TOLD[language][pool]
    at = 0 if prompt.instruction is None else len(prompt.instruction.text)
    changed = replace(with_instruction(item, told, language), target=other)
    yield Change(changed, Level(name="negated"), (moved,), (Edit("instruction", "", told, at),))
