"""The opposite word in every judgement of a review, and the opposite label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change
from harness.transforms.declaration import Pool, Preserves, transform
from harness.transforms.phrases import in_case_of
from harness.transforms.polarity import Side, is_negated, side_of, turned, words_of


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"question"},
    languages={"en", "zh"},
    unmet="no text whose every sentence is one plain judgement on its label's side",
)
def antonym(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change with every word of praise turned into its opposite, or every word of blame; the label follows.

    Only texts whose every sentence holds one such word and no negation, comparison or "but" are changed. Nothing
    is split: all pools are alike.

    Example:
        >>> from harness.core.items import Label, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> labels = (Label("pos", ("positive",)), Label("neg", ("negative",)))
        >>> prompt = Prompt(question=Text("Good soup. The staff were friendly!"), labels=labels)
        >>> item = Item("en", prompt, Target(label="pos"))
        >>> [change] = antonym(item, rng_for(0))
        >>> change.item.prompt.question.text, change.item.target.label
        ('Bad soup. The staff were unfriendly!', 'neg')
    """
    language = item.language.split("-")[0]

    def turn(sentence: str, at: re.Match[str], own: Side) -> str | None:
        if side_of(at[0], language) != own:
            return None
        other = words_of(language).opposite[at[0].lower()]
        vowels = [word[0].lower() in "aeiou" for word in (at[0], other)]
        article = re.search(r"\b(?:a|an) \Z", sentence[: at.start()], re.IGNORECASE)
        plain = sentence.replace("非常", "很").replace("特别", "很")
        if is_negated(plain.replace(at[0], "")) or (article and vowels[0] != vowels[1]):
            return None
        return sentence[: at.start()] + in_case_of(at[0], other) + sentence[at.end() :]

    change = turned(item, language, turn, level="antonym")
    if change is not None:
        yield change
