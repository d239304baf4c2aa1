"""Items whose right answer is that it cannot be told, and how that answer is offered."""

from __future__ import annotations

from dataclasses import replace

from harness.core.items import Item, Label, Target, Text
from harness.transforms.declaration import Pool

ABSTAIN = "abstain"  # the id of the label that is offered
# How the way out is offered, one sentence a pool.
_OFFERS: dict[str, dict[Pool, str]] = {
    "en": {
        "challenge": 'If this cannot be answered from what is given, write "unknown".',
        "treatment": 'Write "unknown" where nothing given tells the answer.',
        "sealed": 'Where the answer cannot be known from this, "unknown" is right.',
    },
    "zh": {
        "challenge": "如果根据所给内容无法回答，请写“不知道”。",
        "treatment": "所给内容里找不到答案时，写“不知道”。",
        "sealed": "从中得不出答案的，写“不知道”才对。",
    },
}
_SAID = {"en": ("unknown", "I don't know"), "zh": ("不知道", "我不知道", "无法判断")}
_OPTION: dict[str, dict[Pool, str]] = {
    "en": {
        "challenge": "This cannot be told",
        "treatment": "There is no way to know",
        "sealed": "The information is missing",
    },
    "zh": {"challenge": "无法判断", "treatment": "无从得知", "sealed": "信息不足"},
}


def abstaining(item: Item, pool: Pool) -> Item | None:
    """The item with abstaining offered and right, or None where its answer has no place for it.

    A short answer and a label get a sentence in the instruction (and a further label); options a further option.

    Example:
        >>> from harness.core.items import Prompt
        >>> item = Item(language="en", prompt=Prompt(options=("six", "nine")), target=Target(option=0))
        >>> made = abstaining(item, "challenge")
        >>> made.prompt.options, made.target.option
        (('six', 'nine', 'This cannot be told'), 2)
    """
    prompt, target = item.prompt, item.target
    tongue = "zh" if item.language.split("-")[0] == "zh" else "en"
    if target is None or prompt.output is not None:
        return None
    if target.option is not None:
        option = _OPTION[tongue][pool]
        if option in prompt.options:
            return None
        made = replace(prompt, options=(*prompt.options, option))
        return replace(item, prompt=made, target=Target(option=len(prompt.options)))
    said = _SAID[tongue]
    if target.label is not None:
        taken = {name.casefold() for label in prompt.labels for name in label.names}
        if ABSTAIN in {label.id for label in prompt.labels} or not taken.isdisjoint(said):
            return None
        prompt, target = replace(prompt, labels=(*prompt.labels, Label(ABSTAIN, said))), Target(label=ABSTAIN)
    elif target.answers:
        target = Target(answers=said)
    else:
        return None
    offer, held = _OFFERS[tongue][pool], prompt.instruction
    told = offer if held is None or not held.text else f"{held.text}{'' if tongue == 'zh' else ' '}{offer}"
    order = prompt.order if "instruction" in prompt.order else ("instruction", *prompt.order)
    instruction = Text(told, () if held is None else held.protect)
    return replace(item, prompt=replace(prompt, instruction=instruction, order=order), target=target)
