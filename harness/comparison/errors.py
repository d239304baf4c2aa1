"""How the mix of error classes moved: each class's share of all items on both sides, paired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.comparison.pairing import SuitePairs
from harness.stats.paired import paired_effect
from harness.store import StoredRun

PrimaryClasses = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class ClassShare:
    """One primary error class in one suite.

    Args:
        baseline: Share of the compared variants that both sides answered, 0 to 1.
        candidate: The same of the candidate.
        change: Candidate minus baseline; positive means more of this error.
        low: Lower end of the 95 % interval of the change.
        high: Upper end.
        n: Those variants.
    """

    suite: str
    error_class: str
    baseline: float
    candidate: float
    change: float
    low: float | None
    high: float | None
    n: int


def primary_classes(run: StoredRun) -> PrimaryClasses:
    """(suite, variant id) -> the primary error class of a run's first samples."""
    errors = run.errors()
    rows = errors[(errors["sample"] == 0) & errors["primary"]]
    return dict(zip(zip(rows["suite"], rows["variant_id"], strict=True), rows["error_class"], strict=True))


def class_shares(baseline: PrimaryClasses, candidate: PrimaryClasses, pairs: SuitePairs) -> list[ClassShare]:
    """Every primary class seen on either side, the largest growth first.

    Args:
        baseline: The classes of the side's first run.
        candidate: The same of the other side.
        pairs: The suite's comparable variants.
    """
    suite = pairs.record.name
    is_answered = (pairs.outputs["outcome_baseline"] != "failed") & (
        pairs.outputs["outcome_candidate"] != "failed"
    )
    answered = pairs.outputs[is_answered]
    keys = [(suite, variant_id) for variant_id in answered.index]
    before, after = ([classes.get(key) for key in keys] for classes in (baseline, candidate))
    clusters = answered["item_id_baseline"].to_list()
    shares = []
    for name in sorted({found for found in (*before, *after) if found is not None}):
        # Compared as "is free of the class", so that up is better as everywhere.
        free_before, free_after = (np.array([found != name for found in side]) for side in (before, after))
        effect = paired_effect(
            free_before.astype(float), free_after.astype(float), clusters, binary=True, bounds=(0.0, 1.0)
        )
        shares.append(
            ClassShare(
                suite=suite,
                error_class=name,
                baseline=1 - effect.baseline_mean,
                candidate=1 - effect.candidate_mean,
                change=-effect.effect,
                low=None if effect.high is None else -effect.high,
                high=None if effect.low is None else -effect.low,
                n=len(keys),
            )
        )
    return sorted(shares, key=lambda share: (-share.change, share.error_class))
