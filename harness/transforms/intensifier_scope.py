"""A negation before the intensifier of every praise (very good, not very good), and the opposite label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.polarity import Side, is_negated, side_of, turned

_EN_PLAIN = re.compile(r"\b(is|are|was|were) (very|really|particularly|especially) \Z")
_EN_DENIED = re.compile(r"\b(is|are|was|were)(?: not|n['’]t) (very|really|particularly|especially) \Z")
_ZH_PLAIN = re.compile(r"(?:很|真|挺)\Z")
_ZH_DENIED = re.compile(r"(?:不太|不怎么|不是很)\Z")


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"question"},
    languages={"en", "zh"},
    unmet="no text whose every sentence is praise with an intensifier, denied or not",
)
def intensifier_scope(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change in which "very good" becomes "not very good", or the reverse; the label follows.

    The words of praise and degree stay: only the scope of the negation tells the two apart. Nothing is split: all
    pools are alike.

    Example:
        >>> from harness.core.items import Label, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> labels = (Label("pos", ("positive",)), Label("neg", ("negative",)))
        >>> item = Item("en", Prompt(question=Text("The soup was very good."), labels=labels), Target(label="pos"))
        >>> [change] = intensifier_scope(item, rng_for(0))
        >>> change.item.prompt.question.text, change.item.target.label
        ('The soup was not very good.', 'neg')
    """
    language = item.language.split("-")[0]

    def turn(sentence: str, at: re.Match[str], own: Side) -> str | None:
        if side_of(at[0], language) == "blame":
            return None
        before, after = sentence[: at.start()], sentence[at.end() :]
        if re.fullmatch(r"[.!;。！；]?\s*", after) is None:
            return None
        denied = (_EN_DENIED if language == "en" else _ZH_DENIED).search(before)
        plain = None if denied else (_EN_PLAIN if language == "en" else _ZH_PLAIN).search(before)
        found = denied or plain
        if found is None or (denied is None) != (own == "praise") or is_negated(before[: found.start()]):
            return None
        if language == "en":
            degree = f"{found[1]} {found[2]} " if denied else f"{found[1]} not {found[2]} "
        else:
            degree = "很" if denied else "不太"
        return before[: found.start()] + degree + at[0] + after

    change = turned(item, language, turn, level="intensifier")
    if change is not None:
        yield change
