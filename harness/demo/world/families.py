"""The task families by name: how their items are drawn, and how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.core.errors import UsageError
from harness.core.exchange import GenerationSettings
from harness.core.items import Item
from harness.core.naming import unknown_name
from harness.core.rng import Rng, rng_for
from harness.demo.world import arithmetic, choice, extraction, key_facts, sentiment, topic
from harness.demo.world.lexicon import LANGUAGES
from harness.demo.world.splits import Split
from harness.prompting import Asking, Reading

_DRAWS: dict[str, Callable[..., Item]] = {
    "key_facts": key_facts.draw,
    "sentiment": sentiment.draw,
    "topic": topic.draw,
    "extraction": extraction.draw,
    "choice": choice.draw,
    "arithmetic": arithmetic.draw,
}
FAMILIES: tuple[str, ...] = tuple(_DRAWS)

ASKING: dict[str, Asking] = {
    "key_facts": Asking("short_answer", generation=GenerationSettings(max_tokens=12, stop=("\n",))),
    "sentiment": Asking("classification"),
    "topic": Asking("classification"),
    "extraction": Asking("extraction", generation=GenerationSettings(max_tokens=64, stop=("\n",))),
    "choice": Asking("multiple_choice", reading=Reading(by="option_text", show_options=True)),
    "arithmetic": Asking("short_answer", generation=GenerationSettings(max_tokens=12, stop=("\n",))),
}
_MOST_TRIES = 50


def draw(family: str, rng: Rng, *, language: str, split: Split, **options: Any) -> Item:
    """One item of a family; `options` are the family's own (see `key_facts.draw`)."""
    if family not in _DRAWS:
        raise unknown_name("task family", family, FAMILIES)
    return _DRAWS[family](rng, language=language, split=split, **options)


def items(
    family: str,
    *,
    n: int,
    seed: int,
    split: Split = "train",
    languages: Sequence[str] = LANGUAGES,
    **options: Any,
) -> tuple[Item, ...]:
    """`n` distinct items, the languages taking turns.

    An item depends on the seed and its own number only, save where it would repeat an earlier one.

    Raises:
        UsageError: If the split of the family does not hold `n` distinct items.

    Example:
        >>> first, second = items("arithmetic", n=2, seed=1)
        >>> first.language, second.language, first.tag("family")
        ('en', 'zh', 'arithmetic')
    """
    made: dict[str, Item] = {}
    for number in range(n):
        language = languages[number % len(languages)]
        for attempt in range(_MOST_TRIES):
            rng = rng_for(seed, "world", family, split, language, number, attempt)
            item = draw(family, rng, language=language, split=split, **options)
            if item.item_id not in made:
                made[item.item_id] = item
                break
        else:
            raise UsageError(
                f"The {split} split of '{family}' gave no {number + 1}th distinct item in {_MOST_TRIES} "
                "tries; ask for fewer items."
            )
    return tuple(made.values())
