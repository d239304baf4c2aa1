"""Moves the key passages through the context, so that where the answer stands is all that differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between, Share


@transform(
    family="position",
    preserves=Preserves.ANSWER,
    touches={"context"},
    enumerates=True,
    unmet="no context to rotate: it needs a passage marked as key and another that is not",
)
def context_rotation(
    item: Item,
    rng: Rng,
    *,
    positions: Annotated[tuple[Share, ...], Between(1, 100)] = (0.0, 0.25, 0.5, 0.75, 1.0),
    pool: Pool = "challenge",
) -> Iterator[Change]:
    """One change per slot: the key passages, kept together, stand before, between or after the others.

    Positions that land on one slot merge; the level holds the realised position, slot / (number of other
    passages). The slot at which the item already stands is among them. Nothing is random and nothing comes
    from a lexicon: all pools are alike.

    Args:
        positions: Wanted places of the key, 0 (first) to 1 (last).

    Example:
        >>> from harness.core.items import Passage, Prompt
        >>> from harness.core.rng import rng_for
        >>> passages = (Passage("Shut at six.", key=True), Passage("It rained."), Passage("A bus came."))
        >>> item = Item(language="en", prompt=Prompt(context=passages))
        >>> [change.level.position for change in context_rotation(item, rng_for(0))]
        [0.0, 0.5, 1.0]
    """
    places = range(len(item.prompt.context))
    key = [place for place in places if item.prompt.context[place].key]
    others = [place for place in places if not item.prompt.context[place].key]
    if not key or not others:
        return
    # Half up, not half to even: 0.25 and 0.75 of two slots must not fall on the same side.
    slots = sorted({int(position * len(others) + 0.5) for position in positions})
    for slot in slots:
        order = [*others[:slot], *key, *others[slot:]]
        context = tuple(item.prompt.context[place] for place in order)
        moved = order != list(places)
        edits = (Edit("context", _listed(places), _listed(order)),) if moved else ()
        yield Change(
            item=replace(item, prompt=replace(item.prompt, context=context)),
            level=Level(position=slot / len(others)),
            edits=edits,
        )


def _listed(order: range | list[int]) -> str:
    """Passage numbers in order, which is how a move is shown."""
    return " ".join(map(str, order))
