"""The paired effect of one metric on one slice of one suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.pairing import SuitePairs
from harness.core.rows import MetricFacts
from harness.stats.paired import PairedEffect, paired_effect

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a suite's variants: all of them where nothing is named.

    Args:
        transform: A transform's name, or "source" for the unchanged items.
        family: A family of transforms.
        position: A realised position of the key information.
        level: A named arrangement.
        language: A language.
        tags: (name, value) pairs that the item must have.
    """

    transform: str | None = None
    family: str | None = None
    position: float | None = None
    level: str | None = None
    language: str | None = None
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """For people.

        Example:
            >>> Slice(transform="typo", language="zh").title, Slice().title
            ('typo, zh', 'all')
        """
        parts = [self.transform, self.family, self.level, self.language]
        if self.position is not None:
            parts.insert(1, f"position {self.position:g}")
        parts.extend(f"{name}={value}" for name, value in self.tags)
        return ", ".join(part for part in parts if part) or "all"


@dataclass(frozen=True, slots=True)
class Effect:
    """One metric on one slice of one suite, both sides.

    `effect`, `low`, `high` and the p values are oriented so that positive is better, whatever the metric's direction;
    `baseline` and `candidate` are the metric's own values.

    Args:
        n: Variants in the slice that may be compared.
        n_scored: Those with a value on both sides.
        n_items: Source items among them, the unit of the interval.
        low: Lower end of the 95 % interval; None where none is honest.
        certify_p: One-sided p value of "worse by the margin or more"; None without margin.
        lost: Right in the baseline, wrong in the candidate; None where the metric has no right and wrong.
        won: The reverse.
        failed: Variants missing because a system failed, on either side.
    """

    suite: str
    metric: str
    slice: Slice
    direction: str
    n: int
    n_scored: int
    n_items: int
    baseline: float | None
    candidate: float | None
    effect: float | None
    low: float | None
    high: float | None
    harm_p: float | None
    certify_p: float | None
    lost: int | None
    won: int | None
    failed: int
    method: str


def slice_mask(scores: pd.DataFrame, where: Slice, *, tags: pd.Series | None = None) -> np.ndarray:
    """Which rows of a suite's scores belong to a slice, shape (n,)."""
    import numpy as np

    mask = np.ones(len(scores), dtype=bool)
    for column in ("transform", "family", "level", "language", "position"):
        wanted = getattr(where, column)
        if wanted is not None:
            mask &= (scores[column] == wanted).to_numpy()
    if where.tags and tags is not None:
        held = tags.reindex(scores["variant_id"]).to_list()
        mask &= np.array(
            [all((own or {}).get(name) == value for name, value in where.tags) for own in held], dtype=bool
        )
    return mask


def effect_of(
    pairs: SuitePairs,
    metric: MetricFacts,
    where: Slice,
    *,
    margin: float | None = None,
    tags: pd.Series | None = None,
) -> Effect:
    """The paired effect of a metric on a slice; every value None where nothing was scored on both sides.

    Args:
        margin: Largest acceptable loss in the metric's units.
        tags: variant_id -> tags, needed where the slice names tags.
    """
    table = pairs.scores[pairs.scores["metric"] == metric.name]
    table = table[slice_mask(table, where, tags=tags)]
    failed = int(((table["outcome_baseline"] == "failed") | (table["outcome_candidate"] == "failed")).sum())
    if metric.corpus:
        answered = table[(table["outcome_baseline"] != "failed") & (table["outcome_candidate"] != "failed")]
        return _corpus(pairs, metric, where, table, answered, failed, margin=margin)
    scored = table.dropna(subset=["baseline", "candidate"])
    if scored.empty:
        return _nothing(pairs.record.name, metric, where, n=len(table), failed=failed)
    sign = 1.0 if metric.direction == "higher" else -1.0
    low, high = metric.bounds
    bounds = (low, high) if sign > 0 else (_minus(high), _minus(low))
    found = paired_effect(
        sign * scored["baseline"].to_numpy(float),
        sign * scored["candidate"].to_numpy(float),
        scored["item_id"].to_list(),
        binary=metric.binary and bool((scored["samples"] == 1).all()),
        bounds=bounds,
        margin=margin,
    )
    return _filled(pairs.record.name, metric, where, table, scored, failed, found, sign)


def _minus(bound: float | None) -> float | None:
    return None if bound is None else -bound


def _nothing(suite: str, metric: MetricFacts, where: Slice, *, n: int, failed: int) -> Effect:
    return Effect(
        suite, metric.name, where, metric.direction, n, 0, 0, None, None, None, None, None, None, None, None, None,
        failed, "nothing scored on both sides",
    )  # fmt: skip


def _filled(
    suite: str,
    metric: MetricFacts,
    where: Slice,
    table: pd.DataFrame,
    scored: pd.DataFrame,
    failed: int,
    found: PairedEffect,
    sign: float,
) -> Effect:
    lost, won = found.discordant_right_to_wrong, found.discordant_wrong_to_right
    if lost is None and metric.pass_at is not None:
        before, after = scored["baseline"] >= metric.pass_at, scored["candidate"] >= metric.pass_at
        lost, won = int((before & ~after).sum()), int((~before & after).sum())
    return Effect(
        suite=suite,
        metric=metric.name,
        slice=where,
        direction=metric.direction,
        n=len(table),
        n_scored=len(scored),
        n_items=found.n_clusters,
        baseline=sign * found.baseline_mean,
        candidate=sign * found.candidate_mean,
        effect=found.effect,
        low=found.low,
        high=found.high,
        harm_p=found.harm_p,
        certify_p=found.certify_p,
        lost=lost,
        won=won,
        failed=failed,
        method=found.method,
    )


def _corpus(
    pairs: SuitePairs,
    metric: MetricFacts,
    where: Slice,
    table: pd.DataFrame,
    answered: pd.DataFrame,
    failed: int,
    *,
    margin: float | None,
) -> Effect:
    """A metric over many items at once: swap permutation and a bootstrap over source items."""
    from harness.comparison.corpus import paired_corpus_effect

    if answered.empty:
        return _nothing(pairs.record.name, metric, where, n=len(table), failed=failed)
    sign = 1.0 if metric.direction == "higher" else -1.0
    found = paired_corpus_effect(
        metric,
        pairs.outputs.loc[answered["variant_id"]],
        margin=margin,
        seed=f"{pairs.record.digest} {where.title}",
    )
    return Effect(
        suite=pairs.record.name,
        metric=metric.name,
        slice=where,
        direction=metric.direction,
        n=len(table),
        n_scored=len(answered),
        n_items=int(answered["item_id"].nunique()),
        baseline=sign * found.baseline_value,
        candidate=sign * found.candidate_value,
        effect=found.effect,
        low=found.low,
        high=found.high,
        harm_p=found.harm_p,
        certify_p=found.certify_p,
        lost=None,
        won=None,
        failed=failed,
        method=found.method,
    )


def levels_of(scores: pd.DataFrame) -> Sequence[Slice]:
    """The slices a table shows by default: all, each transform, each position and level of it, each language."""
    slices = [Slice()]
    transforms = [name for name in scores["transform"].drop_duplicates() if isinstance(name, str)]
    if len(transforms) > 1:
        slices += [Slice(transform=name) for name in transforms]
    for name in transforms:
        part = scores[scores["transform"] == name]
        positions = sorted(part["position"].dropna().unique())
        if len(positions) > 1:
            slices += [Slice(transform=name, position=float(position)) for position in positions]
        levels = sorted(str(level) for level in part["level"].dropna().unique())
        if 1 < len(levels) <= 24:
            slices += [Slice(transform=name, level=level) for level in levels]
    languages = sorted(scores["language"].dropna().unique())
    if len(languages) > 1:
        slices += [Slice(language=str(language)) for language in languages]
    return slices
