"""Leaves the question empty, or a single character; that it cannot be answered is then right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal, get_args

from harness.core.items import Item, Text
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.abstention import abstaining
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between

Left = Literal["nothing", "one character"]
_CHARACTER: dict[str, dict[Pool, str]] = {
    "en": {"challenge": ".", "treatment": "-", "sealed": "~"},
    "zh": {"challenge": "。", "treatment": "、", "sealed": "…"},
}


@transform(
    family="boundary",
    preserves=Preserves.CHANGES,
    touches={"question", "instruction", "labels", "options"},
    languages={"en", "zh"},
    unmet="no question to empty, or no answer that abstaining could stand beside",
)
def empty_input(
    item: Item,
    rng: Rng,
    *,
    left: Annotated[tuple[Left, ...], Between(1, 2)] = get_args(Left),
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change per rest: the question is gone, abstaining is offered, and it is right.

    Args:
        left: What is left of the question.

    Example:
        >>> from harness.core.items import Prompt, Target
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("2 + 2?")), target=Target(answers=("4",)))
        >>> [(one.item.prompt.question.text, one.item.target.answers[0]) for one in empty_input(item, rng_for(0))]
        [('', 'unknown'), ('.', 'unknown')]
    """
    question = item.prompt.question
    if question is None or len(question.text.strip()) < 2:
        return
    offered = abstaining(item, pool)
    if offered is None:
        return
    tongue = "zh" if item.language.split("-")[0] == "zh" else "en"
    for name in left:
        rest = "" if name == "nothing" else _CHARACTER[tongue][pool]
        prompt = replace(offered.prompt, question=Text(rest))
        yield Change(
            item=replace(offered, prompt=prompt),
            level=Level(name=name),
            edits=(Edit("question", question.text, rest),),
        )
