"""Two people change places in the text, and with them the one who is the answer."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Level
from harness.transforms.answer_spans import first_answer, read_from_text, renamed, source_parts, word_pattern
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.entities import person_groups
from harness.transforms.surface import parts_of


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"context", "question"},
    languages={"en", "zh"},
    unmet="no two people of one kind in the text, one of them the answer",
)
def role_swap(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change in which the person who is the answer and another of the text change names.

    The question must name neither: then whatever was true of one is true of the other, and the answer is the other.
    Both are called by the same pronoun. Nothing comes from a lexicon that is split: all pools are alike.

    Example:
        >>> from harness.core.items import Passage, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(context=(Passage("Anna gave Emma a book."),), question=Text("Who gave a book?"))
        >>> [change] = role_swap(Item("en", prompt, Target(answers=("Anna",))), rng_for(0))
        >>> change.item.prompt.context[0].text, change.item.target.answers
        ('Emma gave Anna a book.', ('Emma',))
    """
    if not read_from_text(item):
        return
    answer, language = first_answer(item), item.language.split("-")[0]
    text = "\n".join(part.text for part in parts_of(item.prompt, source_parts(item.prompt)))
    for group in person_groups(language):
        match = word_pattern(group).search(answer)
        others = dict.fromkeys(found[0] for found in word_pattern(group).finditer(text))
        if match is None or match[0] not in others or len(others) < 2:
            continue
        other = rng.choice([one for one in others if one != match[0]])
        done = renamed(item, {match[0]: other, other: match[0]})
        if done is not None:
            changed, edits = done
            yield Change(changed, Level(name="role"), ((match[0], other),), edits)
            return
