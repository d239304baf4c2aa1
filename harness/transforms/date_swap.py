"""Another day or month for the one that is the answer, in the text and in the target."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Level
from harness.transforms.answer_spans import first_answer, read_from_text, renamed, word_pattern
from harness.transforms.declaration import POOLS, Pool, Preserves, transform
from harness.transforms.entities import date_groups


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"context", "question"},
    languages={"en", "zh"},
    unmet="no day or month in an answer that is read from the text",
)
def date_swap(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change in which the answer's day of the week or month is another, wherever the text says it.

    The question must not name it, and the new one must be new to the text. Days are split between the pools.

    Example:
        >>> from harness.core.items import Passage, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(context=(Passage("会议在星期二举行。"),), question=Text("会议在哪天？"))
        >>> [change] = date_swap(Item("zh", prompt, Target(answers=("星期二",))), rng_for(0))
        >>> change.item.target.answers[0] in change.item.prompt.context[0].text
        True
    """
    if not read_from_text(item):
        return
    answer, language = first_answer(item), item.language.split("-")[0]
    for group in date_groups(language):
        match = word_pattern(group).search(answer)
        if match is None:
            continue
        others = [one for one in group if one != match[0]][POOLS.index(pool) :: len(POOLS)]
        for other in rng.shuffled(others):
            done = renamed(item, {match[0]: other})
            if done is not None:
                changed, edits = done
                yield Change(changed, Level(name="date"), ((match[0], other),), edits)
                return
