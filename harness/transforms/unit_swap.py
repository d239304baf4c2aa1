"""Another unit for the quantity that is the answer, in the text and in the target."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Level
from harness.transforms.answer_spans import first_answer, read_from_text, renamed
from harness.transforms.declaration import POOLS, Pool, Preserves, transform
from harness.transforms.entities import unit_groups


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"context", "question"},
    languages={"en", "zh"},
    unmet="no quantity with a known unit in an answer that is read from the text",
)
def unit_swap(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change in which the answer's quantity has another unit: 5 miles for 5 km. The number stays.

    Accepted answers without the unit no longer count. Which unit is drawn depends on the pool.

    Example:
        >>> from harness.core.items import Passage, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(context=(Passage("The path is 5 km long."),), question=Text("How long is it?"))
        >>> [change] = unit_swap(Item("en", prompt, Target(answers=("5 km", "5"))), rng_for(0))
        >>> change.item.target.answers, change.item.prompt.context[0].text
        (('5 miles',), 'The path is 5 miles long.')
    """
    if not read_from_text(item):
        return
    answer, language = first_answer(item), item.language.split("-")[0]
    for unit, *others in unit_groups(language):
        match = re.search(rf"(\d+(?:\.\d+)?)( ?){re.escape(unit)}(?![A-Za-z])", answer)
        if match is None:
            continue
        for place in range(len(others)):
            other = others[(place + POOLS.index(pool)) % len(others)]
            done = renamed(item, {match[0]: f"{match[1]}{match[2]}{other}"})
            if done is not None:
                changed, edits = done
                yield Change(changed, Level(name="unit"), ((unit, other),), edits)
                return
