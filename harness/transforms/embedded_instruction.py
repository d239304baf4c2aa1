"""Puts an instruction into the data ("ignore the above"), which a model must read as data."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.additions import data_part, lines_of, put_beside
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.surface import QUESTION_AND_CONTEXT


@transform(
    family="adversarial",
    preserves=Preserves.ANSWER,
    touches=QUESTION_AND_CONTEXT,
    languages={"en", "zh"},
    in_place=True,
    unmet="no data to hide an instruction in: it needs a context, or a text to classify or to extract from",
)
def embedded_instruction(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change: an instruction that is not the user's stands behind a passage or the text to judge.

    A bare question holds no data: an instruction there would be the user's own.

    Example:
        >>> from harness.core.items import Passage, Prompt
        >>> from harness.core.rng import rng_for
        >>> item = Item(language="en", prompt=Prompt(context=(Passage("It shuts at six."),)))
        >>> [change] = embedded_instruction(item, rng_for(0))
        >>> change.item.prompt.context[0].text.startswith("It shuts at six. ")
        True
    """
    part = data_part(item, rng)
    if part is not None:
        yield put_beside(item, part, rng.choice(lines_of("intrusions.txt", item.language, pool)))
