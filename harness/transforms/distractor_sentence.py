"""Puts a true sentence that bears on nothing into the context or the question."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.additions import data_part, lines_of, put_beside
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.surface import QUESTION_AND_CONTEXT, Part


@transform(
    family="adversarial",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    in_place=True,
    unmet="no text to put a sentence beside",
)
def distractor_sentence(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change: the sentence stands behind a passage, or behind the text to judge, or before the question.

    A sentence that names an answer, an option or a label is rejected.

    Example:
        >>> from harness.core.items import Prompt, Text
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(question=Text("When is it open?")))
        >>> [change] = distractor_sentence(item, rng_for(1))
        >>> change.item.prompt.question.text.endswith(". When is it open?")
        True
    """
    sentence = rng.choice(lines_of("distractors.txt", item.language, pool))
    part = data_part(item, rng)
    if part is not None:
        yield put_beside(item, part, sentence)
        return
    question = item.prompt.question
    if question is not None and question.text.strip():
        yield put_beside(item, Part("question", question.text, question.protect), sentence, before=True)
