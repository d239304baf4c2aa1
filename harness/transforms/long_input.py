"""Makes the context very long with passages that bear on nothing asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from harness.core.items import Item, Passage
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.additions import lines_of, names_an_answer
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between


@transform(
    family="boundary",
    preserves=Preserves.ANSWER,
    touches={"context"},
    languages={"en", "zh"},
    unmet="no question, every passage of the pool names an answer, or the context is as long already",
)
def long_input(
    item: Item,
    rng: Rng,
    *,
    characters: Annotated[int, Between(200, 1_000_000)] = 20_000,
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change whose context has at least so many characters; the item's own passages stay together in the middle.

    The added passages come again and again in drawn order: length is what is tested, not what stands there.

    Args:
        characters: Length of the context, in characters for every model alike.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(context=(Passage("It shuts at six."),), question=Text("When?")))
        >>> [change] = long_input(item, rng_for(0), characters=1000)
        >>> 1000 <= sum(len(passage.text) for passage in change.item.prompt.context) < 1200
        True
    """
    prompt = item.prompt
    fit = [one for one in lines_of("passages.txt", item.language, pool) if not names_an_answer(item, one)]
    length = sum(len(passage.text) for passage in prompt.context)
    if prompt.question is None or not fit or length >= characters:
        return
    added: list[str] = []
    while length < characters:
        for text in rng.shuffled(fit):
            if length < characters:
                added.append(text)
                length += len(text)
    half = len(added) // 2
    before, after = (tuple(Passage(text) for text in part) for part in (added[:half], added[half:]))
    order = prompt.order
    if "context" not in order:
        at = order.index("question") if "question" in order else 0
        order = (*order[:at], "context", *order[at:])
    yield Change(
        item=replace(item, prompt=replace(prompt, context=(*before, *prompt.context, *after), order=order)),
        level=Level(name=f"{characters} characters"),
        edits=(Edit("context", f"{len(prompt.context)} passages", f"{len(added)} more passages"),),
    )
