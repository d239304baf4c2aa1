"""Praise said by two negations: nobody would say that it was not good. The label stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.polarity import Side, negated, side_of, turned

_LOWERED = frozenset(
    "The This That These Those My Our His Her Their Your It He She They We Everything Everyone".split()
)
_LEADS: dict[str, dict[Pool, str]] = {
    "en": {
        "challenge": "Nobody would say that ",
        "treatment": "It is not true that ",
        "sealed": "I cannot say that ",
    },
    "zh": {"challenge": "没有人会说", "treatment": "并不是说", "sealed": "不能说"},
}


@transform(
    family="contrast",
    preserves=Preserves.ANSWER,
    touches={"question"},
    languages={"en", "zh"},
    unmet="no text whose every sentence praises plainly",
)
def double_negation(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change with every plain praise denied twice, which is praise again; the label stays.

    Beside `negation` it tells a model that reads negations from one that counts them. Each pool has its own
    wording.

    Example:
        >>> from harness.core.items import Label, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> labels = (Label("pos", ("positive",)), Label("neg", ("negative",)))
        >>> item = Item("en", Prompt(question=Text("The soup was very good."), labels=labels), Target(label="pos"))
        >>> [change] = double_negation(item, rng_for(0))
        >>> change.item.prompt.question.text, change.item.target.label
        ('Nobody would say that the soup was not good.', 'pos')
    """
    language = item.language.split("-")[0]

    def turn(sentence: str, at: re.Match[str], own: Side) -> str | None:
        if own == "blame" or side_of(at[0], language) == "blame":
            return None
        denied = negated(sentence, at, language)
        if denied is None:
            return None
        lead, space = denied.lstrip(), denied[: len(denied) - len(denied.lstrip())]
        first = lead.split(" ")[0]
        if language == "en":
            if first not in _LOWERED and first != "I":
                return None  # a capital that may be a name's
            lead = lead if first == "I" else lead[0].lower() + lead[1:]
        return space + _LEADS[language][pool] + lead

    change = turned(item, language, turn, level="double negation", changes_label=False)
    if change is not None:
        yield change
