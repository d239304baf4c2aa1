"""Training text: what the harness will ask, word for word, followed by the right answer.

A row may hold several items one after another: further questions about the same passage, or further short
items. Only the answers are learned from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.core.items import Component, Item
from harness.core.rng import Rng, rng_for
from harness.demo.row_parts import Asked, Row
from harness.demo.world import ASKING, draw
from harness.demo.world.key_facts import passage, question_item
from harness.demo.world.lexicon import LANGUAGES
from harness.demo.world.splits import Split
from harness.prompting import answer_text, plain_text, render


@dataclass(frozen=True, slots=True)
class Mixture:
    """How often what comes up over a part of the training.

    Args:
        key_facts: Share of the rows about a passage.
        others: What the other rows draw their items from, the families that learn slowly listed more than once.
        most: Items of those rows; None: by how hard the rows are.
    """

    key_facts: float
    others: tuple[str, ...]
    most: int | None = None


MIXTURES = {
    "early": Mixture(0.6, ("sentiment", "topic", "extraction", "choice", "arithmetic")),
    "late": Mixture(
        0.3,
        ("sentiment",) * 2 + ("topic",) + ("extraction",) * 2 + ("choice",) * 3 + ("arithmetic",) * 3,
        most=4,
    ),
}


def asked(item: Item) -> Asked:
    """The plain-text prompt of an item and its answer, as its family's suites ask it.

    Example:
        >>> from harness.demo.world import items
        >>> shown = asked(items("arithmetic", n=1, seed=1)[0])
        >>> shown.prompt.endswith("Answer:"), shown.answer.strip().isdigit()
        (True, True)
    """
    asking = ASKING[item.tag("family") or ""]
    by_letter = asking.reading.by == "letter"
    conversation = render(
        item, task=asking.task, show_options=asking.reading.lists_options, by_letter=by_letter
    )
    if item.target is None:
        raise AssertionError("every item of the demo's world has a target")
    answer = answer_text(item.target, item.prompt, by_letter=by_letter)
    return Asked(plain_text(conversation), conversation.joiner + answer)


def _reordered(item: Item, rng: Rng) -> Item:
    """The item with its components laid out in another order."""
    order: list[Component] = rng.shuffled(item.prompt.order)
    return replace(item, prompt=replace(item.prompt, order=tuple(order)))


def _without_instruction(item: Item) -> Item:
    return replace(item, prompt=replace(item.prompt, instruction=None))


def _varied(item: Item, rng: Rng, hardness: float) -> Item:
    """One of the layouts a prompt may come in; the usual one most often."""
    if rng.chance(0.25 * hardness):
        item = _reordered(item, rng)
    return _without_instruction(item) if rng.chance(0.05) else item


def _question_only(item: Item) -> Item:
    return replace(item, prompt=replace(item.prompt, instruction=None, context=()))


def _key_fact_row(rng: Rng, *, language: str, split: Split, hardness: float) -> Row:
    """Several questions about one passage, or one question in any layout."""
    n = 1 + rng.integer(2 + round(3 * hardness))
    slips = 0.1 if rng.chance(0.15 * hardness) else 0.0
    facts = passage(rng, language=language, split=split, n=n, slips=slips)
    n_questions = 1 if rng.chance(0.25) else min(n, 1 + rng.integer(4))
    asked_of = rng.sample(range(len(facts)), min(n_questions, len(facts)))
    items = [question_item(facts, key, rng, language=language, slips=slips) for key in asked_of]
    if len(items) == 1:
        return (asked(_varied(items[0], rng, hardness)),)
    return (asked(items[0]), *(asked(_question_only(item)) for item in items[1:]))


def _short_row(rng: Rng, *, language: str, split: Split, hardness: float, mixture: Mixture) -> Row:
    """A few items of the other families."""
    others = mixture.others
    most = mixture.most or 1 + round(2 * hardness)
    return tuple(
        asked(_varied(draw(rng.choice(others), rng, language=language, split=split), rng, hardness))
        for _ in range(1 + rng.integer(most))
    )


def training_row(rng: Rng, *, split: Split = "train", hardness: float = 1.0, mixture: str = "early") -> Row:
    """One row.

    Args:
        rng: Where every choice comes from.
        split: Which combinations of words to draw.
        hardness: 0 to 1; from short passages to the longest ones.
        mixture: Name of what comes up how often (`MIXTURES`).
    """
    chosen = MIXTURES[mixture]
    language = rng.choice(LANGUAGES)
    if rng.chance(chosen.key_facts):
        return _key_fact_row(rng, language=language, split=split, hardness=hardness)
    return _short_row(rng, language=language, split=split, hardness=hardness, mixture=chosen)


def training_rows(
    seed: int, step: int, *, n: int, hardness: float = 1.0, mixture: str = "early"
) -> Iterator[Row]:
    """The rows of one step: the same for the same seed and step, whatever came before."""
    rng = rng_for(seed, "rows", step)
    for _ in range(n):
        yield training_row(rng, hardness=hardness, mixture=mixture)
