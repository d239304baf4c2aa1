"""How the mix of error classes moved: each class's share of all items on both sides, paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.pairing import SuitePairs
from harness.stats.paired import paired_effect
from harness.store import StoredRun

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class ClassShare:
    """One primary error class in one suite.

    Args:
        baseline: Share of all compared variants, 0 to 1.
        candidate: The same of the candidate.
        change: Candidate minus baseline; positive means more of this error.
        low: Lower end of the 95 % interval of the change.
        high: Upper end.
        n: Compared variants.
    """

    suite: str
    error_class: str
    baseline: float
    candidate: float
    change: float
    low: float | None
    high: float | None
    n: int


def class_shares(
    baseline: Sequence[StoredRun], candidate: Sequence[StoredRun], pairs: SuitePairs
) -> list[ClassShare]:
    """Every primary class seen on either side, the largest growth first; the first run of each side counts."""
    facts = pairs.scores.drop_duplicates("variant_id")
    if facts.empty:
        return []
    sides = {name: _primary(runs[0], pairs.record.name) for name, runs in (("b", baseline), ("c", candidate))}
    classes = sorted(set(sides["b"].values()) | set(sides["c"].values()))
    ids, clusters = facts["variant_id"].to_list(), facts["item_id"].to_list()
    shares = []
    for name in classes:
        before, after = (_has(sides[side], ids, name) for side in ("b", "c"))
        # Compared as "is free of the class", so that up is better as everywhere.
        found = paired_effect(1.0 - before, 1.0 - after, clusters, binary=True, bounds=(0.0, 1.0))
        low = None if found.high is None else -found.high
        high = None if found.low is None else -found.low
        shares.append(
            ClassShare(
                pairs.record.name,
                name,
                1 - found.baseline_mean,
                1 - found.candidate_mean,
                -found.effect,
                low,
                high,
                len(ids),
            )  # fmt: skip
        )
    return sorted(shares, key=lambda share: (-share.change, share.error_class))


def _primary(run: StoredRun, suite: str) -> dict[str, str]:
    errors = run.errors()
    rows = errors[(errors["suite"] == suite) & (errors["sample"] == 0) & errors["primary"]]
    return dict(zip(rows["variant_id"], rows["error_class"], strict=True))


def _has(primary: dict[str, str], ids: list[str], name: str) -> np.ndarray:
    import numpy as np

    return np.array([primary.get(variant_id) == name for variant_id in ids], dtype=float)
