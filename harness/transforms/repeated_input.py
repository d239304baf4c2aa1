"""Says the question several times over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from harness.core.items import Item, Text
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between

# What stands between: each pool's own, so that training on repeats never shows the tested ones.
_BETWEEN: dict[Pool, str] = {"challenge": "\n", "treatment": "\n\n", "sealed": " / "}


@transform(
    family="boundary",
    preserves=Preserves.ANSWER,
    touches={"question"},
    unmet="no question to repeat",
)
def repeated_input(
    item: Item, rng: Rng, *, times: Annotated[int, Between(2, 50)] = 3, pool: Pool = "challenge"
) -> Iterator[Change]:
    """One change with the same question several times.

    Args:
        times: How often it stands there in all.

    Example:
        >>> from harness.core.items import Prompt
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("Why?")))
        >>> [change] = repeated_input(item, rng_for(0), times=2)
        >>> change.item.prompt.question.text
        'Why?\\nWhy?'
    """
    question = item.prompt.question
    if question is None or not question.text.strip():
        return
    added = (_BETWEEN[pool] + question.text) * (times - 1)
    changed = Text(question.text + added, question.protect)
    yield Change(
        item=replace(item, prompt=replace(item.prompt, question=changed)),
        level=Level(name=f"{times} times"),
        edits=(Edit("question", "", added, len(question.text)),),
    )
