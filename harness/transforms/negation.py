"""Every judgement of a review denied, or a denied one stated, and the opposite label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.polarity import Side, affirmed, negated, side_of, turned


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"question"},
    languages={"en", "zh"},
    unmet="no text whose every sentence praises plainly, or denies praise",
)
def negation(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change with "not" put into every plain praise, or taken out of every denied one; the label follows.

    Blame is left alone: "not bad" is no praise to everybody. Nothing is split: all pools are alike.

    Example:
        >>> from harness.core.items import Label, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> labels = (Label("pos", ("positive",)), Label("neg", ("negative",)))
        >>> item = Item("en", Prompt(question=Text("The soup was very good."), labels=labels), Target(label="pos"))
        >>> [change] = negation(item, rng_for(0))
        >>> change.item.prompt.question.text, change.item.target.label
        ('The soup was not good.', 'neg')
    """
    language = item.language.split("-")[0]

    def turn(sentence: str, at: re.Match[str], own: Side) -> str | None:
        if side_of(at[0], language) == "blame":
            return None
        return (negated if own == "praise" else affirmed)(sentence, at, language)

    change = turned(item, language, turn, level="negation")
    if change is not None:
        yield change
