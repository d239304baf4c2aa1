"""Appends a stored string that means nothing to the question."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.additions import lines_of, put_beside
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.surface import Part


@transform(
    family="adversarial",
    preserves=Preserves.ANSWER,
    touches={"question"},
    languages={"en", "zh"},
    in_place=True,
    unmet="no question to append to",
)
def stored_suffix(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change: signs and made-up syllables behind the question.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("Why?")))
        >>> [change] = stored_suffix(item, rng_for(0))
        >>> change.item.prompt.question.text.startswith("Why? ")
        True
    """
    question = item.prompt.question
    if question is not None and question.text.strip():
        suffix = rng.choice(lines_of("suffixes.txt", item.language, pool))
        yield put_beside(item, Part("question", question.text, question.protect), suffix)
