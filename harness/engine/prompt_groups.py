"""Which prompts are read on from one shared beginning, so that it is read and held once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHORTEST = 16  # a shorter beginning is not worth its own place
_COST_OF_A_GROUP = 256  # tokens that a further group must save: every group is attended to on its own
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class PromptGroup:
    """Prompts with the same first `n_shared` tokens; every one of them is longer than that.

    Args:
        n_shared: 0 where nothing is shared.
        members: Indices of prompts.
    """

    n_shared: int
    members: tuple[int, ...]


def prompt_groups(prompts: Sequence[Sequence[int]], weights: Sequence[int]) -> list[PromptGroup]:
    """Groups that save the most tokens; those that share nothing come last, together.

    Args:
        prompts: Token ids, none empty.
        weights: How many texts are written from each.

    Example:
        >>> shots = list(range(400))
        >>> prompt_groups([[*shots, 1], [9], [*shots, 2, 3]], [1, 1, 1])
        [PromptGroup(n_shared=400, members=(0, 2)), PromptGroup(n_shared=0, members=(1,))]
    """
    order = sorted(range(len(prompts)), key=lambda index: list(prompts[index]))
    common = [_n_common(prompts[left], prompts[right]) for left, right in zip(order, order[1:], strict=False)]
    _, groups = _best(prompts, weights, order, common, 0, len(order), 0)
    alone = {index for group in groups if not group.n_shared for index in group.members}
    shared = [group for group in groups if group.n_shared]
    return [*shared, *([PromptGroup(0, tuple(sorted(alone)))] if alone else [])]


def _best(
    prompts: Sequence[Sequence[int]],
    weights: Sequence[int],
    order: list[int],
    common: list[int],
    start: int,
    stop: int,
    depth: int,
) -> tuple[int, list[PromptGroup]]:
    """Tokens saved, and the groups of the sorted prompts from start to stop."""
    members = tuple(sorted(order[start:stop]))
    if not members:
        return 0, []
    n_rows = sum(weights[index] for index in members)
    least = min(common[start : stop - 1], default=len(prompts[members[0]]))
    n_shared = min(least, min(len(prompts[index]) for index in members) - 1)
    saved = n_shared * (n_rows - 1) - _COST_OF_A_GROUP
    together = saved, [PromptGroup(n_shared, members)]
    if n_shared < _SHORTEST or saved <= 0:
        together = 0, [PromptGroup(0, members)]
    if len(members) == 1 or depth == _DEEPEST:
        return together
    cuts = [place + 1 for place in range(start, stop - 1) if common[place] == least]
    parts = [
        _best(prompts, weights, order, common, left, right, depth + 1)
        for left, right in zip([start, *cuts], [*cuts, stop], strict=True)
    ]
    apart = sum(part[0] for part in parts)
    return (apart, [group for part in parts for group in part[1]]) if apart > together[0] else together


def _n_common(left: Sequence[int], right: Sequence[int]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(left), len(right)))
