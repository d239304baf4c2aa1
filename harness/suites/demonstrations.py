"""Draws the solved examples an item is shown with, from items that are not tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from harness.core.errors import SuiteError
from harness.core.items import Demonstration, Item
from harness.core.rng import rng_for


def as_demonstration(item: Item) -> Demonstration:
    """A solved item as an example for another.

    Raises:
        SuiteError: If the item has no target.
    """
    if item.target is None:
        raise SuiteError("a demonstration needs a target", field=f"item {item.item_id}")
    prompt = item.prompt
    return Demonstration(
        answer=item.target, question=prompt.question, context=prompt.context, options=prompt.options
    )


def with_demonstrations(
    item: Item, pool: Sequence[Item], *, k: int, draw: Literal["first", "seeded"], seed: int = 0
) -> Item:
    """The item with `k` examples of its language from the pool, never itself.

    A seeded draw depends on the item and the pool's content only, not on the pool's order or on other items.

    Args:
        item: The item to ask, without demonstrations.
        pool: Solved items.
        k: How many, at least 1.
        draw: The first `k` of the pool for every item, or `k` drawn for each item.
        seed: Of the draw.

    Raises:
        SuiteError: If the pool has fewer than `k` others of the language.
    """
    others = [other for other in pool if other.language == item.language and other.item_id != item.item_id]
    if len(others) < k:
        there = f"only {len(others)} '{item.language}' items to draw from"
        raise SuiteError(f"{k} demonstrations are wanted, but there are {there}")
    if draw == "seeded":
        ordered = sorted(others, key=lambda other: other.item_id)
        others = rng_for(seed, item.item_id, "demonstrations").sample(ordered, k)
    shown = tuple(as_demonstration(other) for other in others[:k])
    return replace(item, prompt=replace(item.prompt, demonstrations=shown))
