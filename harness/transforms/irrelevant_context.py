"""Adds passages that bear on nothing asked, to the context or as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from harness.core.items import Item, Passage
from harness.core.rng import Rng
from harness.core.variants import Change, Edit
from harness.transforms.additions import lines_of, names_an_answer
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between


@transform(
    family="adversarial",
    preserves=Preserves.ANSWER,
    touches={"context"},
    languages={"en", "zh"},
    unmet="no question that a passage could stand beside, or every passage of the pool names an answer",
)
def irrelevant_context(
    item: Item, rng: Rng, *, passages: Annotated[int, Between(1, 3)] = 1, pool: Pool = "challenge"
) -> Iterator[Change]:
    """One change with further passages at drawn places; none of them names an answer, an option or a label.

    Args:
        passages: How many.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(context=(Passage("It shuts at six."),), question=Text("When?")))
        >>> [change] = irrelevant_context(item, rng_for(0), passages=2)
        >>> len(change.item.prompt.context)
        3
    """
    prompt = item.prompt
    held = {passage.text for passage in prompt.context}
    fit = [
        line
        for line in lines_of("passages.txt", item.language, pool)
        if line not in held and not names_an_answer(item, line)
    ]
    if prompt.question is None or len(fit) < passages:
        return
    context, edits = list(prompt.context), []
    for text in rng.shuffled(fit)[:passages]:
        at = rng.integer(len(context) + 1)
        context.insert(at, Passage(text))
        edits.append(Edit(f"context[{at}]", "", text))
    order = prompt.order
    if "context" not in order:
        at = order.index("question") if "question" in order else 0
        order = (*order[:at], "context", *order[at:])
    yield Change(
        item=replace(item, prompt=replace(prompt, context=tuple(context), order=order)), edits=tuple(edits)
    )
