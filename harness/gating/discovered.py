"""Slices nobody named beforehand on which a candidate lost: shown, and never a reason to fail a build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison import Effect, Pairing, Slice
from harness.comparison.effects import effect_of, levels_of
from harness.comparison.flips import deciding_metric
from harness.stats.family import benjamini_hochberg_adjusted

if TYPE_CHECKING:
    import pandas as pd

FALSE_SHARE = 0.10
"""Of the slices shown, at most this share is shown by chance, on average."""
MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class FoundSlice:
    """A slice on which the candidate is worse.

    Args:
        effect: What was measured there.
        q_value: Benjamini and Hochberg's adjusted p value over all slices looked at.
    """

    effect: Effect
    q_value: float


def discovered_slices(
    pairing: Pairing, *, tags: Mapping[str, pd.Series] | None = None, false_share: float = FALSE_SHARE
) -> tuple[FoundSlice, ...]:
    """The slices on which the candidate lost, of all that a suite has, the surest first.

    Looked at are transforms, positions, levels, languages and item tags, each by the metric that tells right from
    wrong.

    Args:
        pairing: Both sides.
        tags: Per suite, variant_id -> tags; without, no slice by tag.
        false_share: Share of the found that may be false, on average.
    """
    looked: list[Effect] = []
    for pairs in pairing.suites:
        metric = deciding_metric(pairs)
        if metric is None or not pairs.n_shared:
            continue
        own = None if tags is None else tags.get(pairs.record.name)
        slices = [*levels_of(pairs.scores)[1:], *_tag_slices(own)]
        looked += [effect_of(pairs, metric, where, tags=own) for where in slices]
    tested = [(effect, effect.harm_p) for effect in looked if effect.harm_p is not None]
    q_values = benjamini_hochberg_adjusted([p_value for _, p_value in tested])
    found = [
        FoundSlice(effect, q_value)
        for (effect, _), q_value in zip(tested, q_values, strict=True)
        if q_value <= false_share
    ]
    return tuple(sorted(found, key=lambda each: (each.q_value, each.effect.suite, each.effect.slice.title)))


def _tag_slices(tags: pd.Series | None) -> list[Slice]:
    """One slice a tag's value, for tags with a few values; an item's own number is no slice."""
    if tags is None:
        return []
    values: dict[str, set[str]] = {}
    for own in tags:
        for name, value in (own or {}).items():
            values.setdefault(str(name), set()).add(value)
    return [
        Slice(tags=((name, value),))
        for name, held in sorted(values.items())
        if 1 < len(held) <= MOST_TAGS
        for value in sorted(held, key=str)
    ]
