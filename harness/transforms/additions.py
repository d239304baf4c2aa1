"""Sentences and passages that transforms put beside what an item holds, and where they may stand."""

from __future__ import annotations

from functools import cache

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Edit, Level
from harness.transforms.declaration import Pool
from harness.transforms.lexicons import fillers_from, lexicon_path
from harness.transforms.protection import answers_of, protected_counts
from harness.transforms.surface import Part, with_texts


@cache
def lines_of(name: str, language: str, pool: Pool) -> tuple[str, ...]:
    """What a shipped file holds for a language and a pool.

    Example:
        >>> lines_of("distractors.txt", "en", "challenge")[0]
        'Rain falls from clouds.'
    """
    return fillers_from(lexicon_path(name)).get((language.split("-")[0], pool), ())


def names_an_answer(item: Item, text: str) -> bool:
    """Whether a text to be added holds an answer, an option or a label of the item.

    Example:
        >>> from harness.core.items import Prompt, Target
        >>> item = Item(language="en", prompt=Prompt(), target=Target(answers=("bread",)))
        >>> names_an_answer(item, "She bakes bread."), names_an_answer(item, "Breadcrumbs lay there.")
        (True, False)
    """
    # Shipped lines hold no number, address or code, so that what is protected in them is an answer.
    return bool(protected_counts(text, answers_of(item), words=False))


def data_part(item: Item, rng: Rng) -> Part | None:
    """A text that is data: a drawn passage, or the text to classify or to extract from; None where there is none."""
    prompt, target = item.prompt, item.target
    parts = [
        Part(f"context[{at}]", passage.text, passage.protect)
        for at, passage in enumerate(prompt.context)
        if passage.text.strip()
    ]
    if parts:
        return rng.choice(parts)
    by_record = target is not None and (target.label is not None or bool(target.fields))
    if prompt.question is not None and prompt.question.text.strip() and by_record:
        return Part("question", prompt.question.text, prompt.question.protect)
    return None


def put_beside(
    item: Item, part: Part, text: str, *, before: bool = False, level: Level | None = None
) -> Change:
    """The item with a text behind (or before) one of its texts, a space between where the script has spaces."""
    edge = part.text[:1] if before else part.text[-1:]
    spaced = edge.isascii() and not edge.isspace() or text[:1].isascii()
    added = (f"{text} " if before else f" {text}") if spaced and edge else text
    start = 0 if before else len(part.text)
    changed = added + part.text if before else part.text + added
    return Change(
        item=Item(
            item.language,
            with_texts(item.prompt, {part.name: changed}),
            item.target,
            item.tags,
            item.identity,
        ),
        level=level or Level(),
        edits=(Edit(part.name, "", added, start),),
    )
