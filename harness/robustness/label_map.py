"""Labels under other names: does a model follow the map it is shown, or the one it has learnt?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from harness.robustness.estimate import Estimate, difference_interval, mean_estimate, same_length
from harness.stats.cluster import cluster_codes, cluster_means
from harness.stats.mean import exact_mean


@dataclass(frozen=True, slots=True)
class LabelMapAdherence:
    """Accuracy under the map that is shown against accuracy under the one before.

    Attributes:
        in_set: Share of answers that are one of the names offered.
        new_map: Share right under the map shown.
        old_map: Share right under the map before: the name the right label used to have.
        difference: New less old; below 0 the labels are memorised.
        is_memorised: Whether the interval of the difference lies below 0.
    """

    in_set: Estimate
    new_map: Estimate
    old_map: Estimate
    difference: Estimate
    is_memorised: bool


def label_map_adherence(
    answered: Sequence[str | None],
    new_gold: Sequence[str],
    old_gold: Sequence[str],
    offered: Sequence[Collection[str]],
    items: Sequence[str],
    *,
    failed: Sequence[bool] | None = None,
    level: float = 0.95,
) -> LabelMapAdherence:
    """Adherence to a new label map. Names are compared without regard to case.

    Args:
        answered: The name that each answer says; None where it says none.
        new_gold: The right label's name in the prompt.
        old_gold: The name it had before. Where that is also the new one, the answer tells nothing and must be left out.
        offered: The names in the prompt.
        items: Source item of each.
        failed: Which answers are missing, because the system failed.
        level: Coverage of the intervals.

    Example:
        >>> names = [("good", "bad")] * 2
        >>> found = label_map_adherence(["good", "bad"], ["bad", "good"], ["good", "bad"], names, ["a", "b"])
        >>> found.in_set.value, found.new_map.value, found.old_map.value  # the names are swapped, the answers not
        (1.0, 0.0, 1.0)

    Source: Pan et al. 2023 (the settings); the measure is ours.
    """
    absent = [False] * len(items) if failed is None else list(failed)
    n = same_length(
        answered=answered, new_gold=new_gold, old_gold=old_gold, offered=offered, items=items, failed=absent
    )
    said = [None if name is None else name.casefold() for name in answered]

    def shares(hits: Sequence[bool]) -> list[float | None]:
        return [None if is_absent else float(hit) for hit, is_absent in zip(hits, absent, strict=True)]

    inside = shares(
        [name in {one.casefold() for one in names} for name, names in zip(said, offered, strict=True)]
    )
    new = shares([name == gold.casefold() for name, gold in zip(said, new_gold, strict=True)])
    old = shares([name == gold.casefold() for name, gold in zip(said, old_gold, strict=True)])
    difference = _difference(new, old, items, n=n, level=level)
    return LabelMapAdherence(
        in_set=mean_estimate(inside, items, level=level),
        new_map=mean_estimate(new, items, level=level),
        old_map=mean_estimate(old, items, level=level),
        difference=difference,
        is_memorised=difference.high is not None and difference.high < 0,
    )


def _difference(
    new: Sequence[float | None], old: Sequence[float | None], items: Sequence[str], *, n: int, level: float
) -> Estimate:
    there = [place for place in range(n) if new[place] is not None]
    if not there:
        return Estimate(None, None, None, n, 0, 0)
    gaps = np.array([(new[place] or 0.0) - (old[place] or 0.0) for place in there])
    units = cluster_means(gaps, cluster_codes([items[place] for place in there]))
    low, high = difference_interval(units, level=level)
    return Estimate(exact_mean(units), low, high, n, len(there), units.size)
