"""Another name for the person, place, colour or animal that is the answer, in the text and in the target."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Level
from harness.transforms.answer_spans import first_answer, read_from_text, renamed, word_pattern
from harness.transforms.declaration import POOLS, Pool, Preserves, transform
from harness.transforms.entities import entity_groups


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"context", "question"},
    languages={"en", "zh"},
    unmet="no known name in an answer that is read from the text",
)
def entity_swap(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change in which the answer's name is another of its kind, wherever the text says it.

    The question must not name it, and the new name must be new to the text: then whoever reads the text finds the
    new name. World knowledge may say otherwise; the text decides. Names are split between the pools.

    Example:
        >>> from harness.core.items import Passage, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(context=(Passage("Anna has the key."),), question=Text("Who has the key?"))
        >>> [change] = entity_swap(Item("en", prompt, Target(answers=("Anna",))), rng_for(0))
        >>> new = change.item.target.answers[0]
        >>> new != "Anna", change.item.prompt.context[0].text == f"{new} has the key."
        (True, True)
    """
    if not read_from_text(item):
        return
    answer, language = first_answer(item), item.language.split("-")[0]
    for group in entity_groups(language):
        match = word_pattern(group).search(answer)
        if match is None:
            continue
        others = [one for one in group if one != match[0]][POOLS.index(pool) :: len(POOLS)]
        for other in rng.shuffled(others):
            done = renamed(item, {match[0]: other})
            if done is not None:
                changed, edits = done
                yield Change(changed, Level(name="entity"), ((match[0], other),), edits)
                return
