"""Shows the demonstrations in other orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.arrangements import arrangement_name, arrangements
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.parameters import Between


@transform(
    family="order",
    preserves=Preserves.ANSWER,
    touches={"demonstrations"},
    enumerates=True,
    unmet="no demonstrations to reorder: it needs at least two",
)
def demonstration_order(
    item: Item, rng: Rng, *, limit: Annotated[int, Between(2, 120)] = 24, pool: Pool = "challenge"
) -> Iterator[Change]:
    """One change per order: all of them where there are at most `limit`, else that many drawn, the usual first.

    Orders of what an item brings are no wording, so all pools are alike.

    Args:
        limit: The most orders; 24 holds every order of four demonstrations.

    Example:
        >>> from harness.core.items import Demonstration, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> shown = tuple(Demonstration(Target(answers=(word,)), Text(word)) for word in "ab")
        >>> item = Item(language="en", prompt=Prompt(demonstrations=shown))
        >>> [change.level.name for change in demonstration_order(item, rng_for(0))]
        ['1-2', '2-1']
    """
    shown = item.prompt.demonstrations
    if len(shown) < 2:
        return
    usual = tuple(range(len(shown)))
    for order in arrangements(len(shown), rng, limit=limit):
        edits = (Edit("demonstrations", arrangement_name(usual), arrangement_name(order)),)
        yield Change(
            item=replace(
                item, prompt=replace(item.prompt, demonstrations=tuple(shown[place] for place in order))
            ),
            level=Level(name=arrangement_name(order)),
            edits=edits if order != usual else (),
        )
