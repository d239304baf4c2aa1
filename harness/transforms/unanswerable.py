"""Takes out the passages that hold the answer; that it cannot be told is then right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Edit
from harness.transforms.abstention import abstaining
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.protection import protected_counts


@transform(
    family="boundary",
    preserves=Preserves.CHANGES,
    touches={"context", "instruction", "options"},
    languages={"en", "zh"},
    unmet="no answer to take out: it needs a passage marked as key, another without the answer, and a short answer "
    "or options",
)
def unanswerable(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change without the key passages and without any passage that names the answer; abstaining is right.

    Example:
        >>> from harness.core.items import Passage, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> context = (Passage("It shuts at six.", key=True), Passage("A bus came."))
        >>> prompt = Prompt(context=context, question=Text("When does it shut?"))
        >>> [change] = unanswerable(Item(language="en", prompt=prompt, target=Target(answers=("six",))), rng_for(0))
        >>> [passage.text for passage in change.item.prompt.context], change.item.target.answers[0]
        (['A bus came.'], 'unknown')
    """
    target, context = item.target, item.prompt.context
    if target is None or target.label is not None or not any(passage.key for passage in context):
        return
    answers = target.answers if target.option is None else (item.prompt.options[target.option],)
    kept = tuple(passage for passage in context if not passage.key and not _names(passage.text, answers))
    offered = abstaining(item, pool)
    if not kept or offered is None:
        return
    edits = tuple(
        Edit(f"context[{at}]", passage.text, "") for at, passage in enumerate(context) if passage not in kept
    )
    yield Change(item=replace(offered, prompt=replace(offered.prompt, context=kept)), edits=edits)


def _names(text: str, answers: tuple[str, ...]) -> bool:
    """Whether one of the answers stands in a text as a word, in any case."""
    held = {string.casefold() for string, _ in protected_counts(text, answers, words=False)}
    return any(answer.strip().casefold() in held for answer in answers if answer.strip())
