"""The order in which source items are asked when the gate may stop early: drawn once, the same share of every suite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.core.errors import UsageError
from harness.core.rng import rng_for
from harness.suites import BuiltSuite


def drawn_order(built: BuiltSuite, *, seed: int, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Ids of a suite's source items in an order drawn by its content; never the order of the file.

    Args:
        built: The suite.
        seed: Of the draw.
        names: What else fixes it, such as the candidate's digest, so that no candidate can be made for the order.
    """
    items = sorted({variant.item_id for variant in built.variants})
    return tuple(rng_for(seed, "order", built.digest, *names).shuffled(items))


def first_items(order: Sequence[str], share: float) -> frozenset[str]:
    """The items of an order up to a share of it, at least one.

    Example:
        >>> sorted(first_items(["c", "a", "b"], 0.5))
        ['a', 'c']
    """
    if not 0 < share <= 1:
        raise UsageError(f"A share of the items lies in (0, 1], got {share}.")
    return frozenset(order[: max(1, math.ceil(share * len(order) - 1e-9))])


def cut_suites(
    suites: Sequence[BuiltSuite], orders: Mapping[str, Sequence[str]], share: float
) -> tuple[BuiltSuite, ...]:
    """The suites with the first share of each one's items, all variants of them.

    Args:
        suites: Built whole.
        orders: Suite name -> its items in the drawn order.
        share: How much of each.
    """
    if share == 1:
        return tuple(suites)
    cut = []
    for built in suites:
        chosen = first_items(orders[built.suite.name], share)
        kept = tuple(variant for variant in built.variants if variant.item_id in chosen)
        cut.append(replace(built, variants=kept, rejected=()))
    return tuple(cut)
