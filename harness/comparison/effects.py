"""The paired effect of one metric on one slice of one suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.comparison.corpus import DRAWS, paired_corpus_effect
from harness.comparison.pairing import SuitePairs
from harness.comparison.recipes import with_seeds
from harness.core.rows import MetricFacts
from harness.core.scores import Outcome
from harness.stats.corpus import CorpusEffect
from harness.stats.paired import PairedEffect, paired_effect

if TYPE_CHECKING:
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
        failed: Those missing because a system failed, on either side.
        n_scored: Those with a value on both sides.
        n_items: Source items among them, the unit of the interval.
        low: Lower end of the 95 % interval; None where none is honest.
        certify_p: One-sided p value of "worse by the margin or more"; None without margin.
        lost: Right in the baseline, wrong in the candidate; None where the metric has no right and wrong.
        won: The reverse.
        method: The tests used, in words.
    """

    suite: str
    metric: str
    slice: Slice
    direction: str
    n: int
    failed: int
    n_scored: int = 0
    n_items: int = 0
    baseline: float | None = None
    candidate: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    harm_p: float | None = None
    certify_p: float | None = None
    lost: int | None = None
    won: int | None = None
    method: str = "nothing scored on both sides"


def slice_mask(scores: pd.DataFrame, where: Slice, *, tags: pd.Series | None = None) -> np.ndarray:
    """Which rows of a suite's scores belong to a slice, shape (n,)."""
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
    draws: int = DRAWS,
) -> Effect:
    """The paired effect of a metric on a slice; every value None where nothing was scored on both sides.

    Args:
        pairs: The suite's comparable variants.
        metric: The metric's facts.
        where: The slice.
        margin: Largest acceptable loss in the metric's units.
        tags: variant_id -> tags, needed where the slice names tags.
        draws: Resamples of a corpus metric.
    """
    table = pairs.scores[(pairs.scores["metric"] == metric.name).to_numpy()]
    table = table[slice_mask(table, where, tags=tags)]
    is_failed = (
        (table["outcome_baseline"] == "failed") | (table["outcome_candidate"] == "failed")
    ).to_numpy()
    blank = Effect(
        pairs.record.name, metric.name, where, metric.direction, n=len(table), failed=int(is_failed.sum())
    )
    sign = 1.0 if metric.direction == "higher" else -1.0
    if metric.corpus:
        answered = table[~is_failed]
        if answered.empty:
            return blank
        outputs = pairs.outputs.loc[answered["variant_id"]]
        seed = f"{pairs.record.digest} {where.title}"
        return _filled(
            blank, paired_corpus_effect(metric, outputs, margin=margin, seed=seed, draws=draws), sign
        )
    scored = table[table["baseline"].notna().to_numpy() & table["candidate"].notna().to_numpy()]
    if scored.empty:
        return blank
    before, after = scored["baseline"].to_numpy(float), scored["candidate"].to_numpy(float)
    low, high = metric.bounds
    found = paired_effect(
        sign * before,
        sign * after,
        scored["item_id"].to_list(),
        binary=metric.binary and bool((scored["samples"] == 1).all()),
        bounds=(low, high) if sign > 0 else (_minus(high), _minus(low)),
        margin=margin,
    )
    found = with_seeds(found, pairs, metric, scored, margin=margin)
    lost, won = _lost_and_won(metric, before, after)
    return replace(_filled(blank, found, sign), lost=lost, won=won)


def rate_effect(
    pairs: SuitePairs, outcome: Outcome, where: Slice, *, margin: float, tags: pd.Series | None = None
) -> Effect:
    """The paired effect of the share of answers of an outcome, lower is better; failed answers are missing.

    Args:
        pairs: The suite's comparable variants.
        outcome: "unparsed" or "abstained".
        where: The slice.
        margin: Largest acceptable growth of the share.
        tags: variant_id -> tags, needed where the slice names tags.
    """
    table = pairs.scores.drop_duplicates("variant_id")
    table = table[slice_mask(table, where, tags=tags)]
    is_failed = (
        (table["outcome_baseline"] == "failed") | (table["outcome_candidate"] == "failed")
    ).to_numpy()
    answered = table[~is_failed]
    blank = Effect(
        pairs.record.name, f"{outcome}_rate", where, "lower", n=len(table), failed=int(is_failed.sum())
    )
    if answered.empty:
        return blank
    found = paired_effect(
        (answered["outcome_baseline"] != outcome).to_numpy(float),
        (answered["outcome_candidate"] != outcome).to_numpy(float),
        answered["item_id"].to_list(),
        binary=True,
        bounds=(0.0, 1.0),
        margin=margin,
    )
    filled = _filled(blank, found, 1.0)
    return replace(
        filled,
        baseline=1 - found.baseline_mean,
        candidate=1 - found.candidate_mean,
        lost=found.discordant_right_to_wrong,
        won=found.discordant_wrong_to_right,
    )


def _filled(blank: Effect, found: PairedEffect | CorpusEffect, sign: float) -> Effect:
    """The effect with what was found; `sign` turns oriented values back into the metric's own."""
    if isinstance(found, CorpusEffect):
        n_scored, before, after = found.n_rows, found.baseline_value, found.candidate_value
    else:
        n_scored, before, after = found.n_pairs, found.baseline_mean, found.candidate_mean
    return replace(
        blank,
        n_scored=n_scored,
        n_items=found.n_clusters,
        baseline=sign * before,
        candidate=sign * after,
        effect=found.effect,
        low=found.low,
        high=found.high,
        harm_p=found.harm_p,
        certify_p=found.certify_p,
        method=found.method,
    )


def _lost_and_won(
    metric: MetricFacts, before: np.ndarray, after: np.ndarray
) -> tuple[int | None, int | None]:
    """How many went from right to wrong and back; None where the metric cannot tell."""
    if metric.pass_at is None:
        return None, None
    right_before, right_after = (
        side >= metric.pass_at if metric.direction == "higher" else side <= metric.pass_at
        for side in (before, after)
    )
    return int((right_before & ~right_after).sum()), int((~right_before & right_after).sum())


def _minus(bound: float | None) -> float | None:
    return None if bound is None else -bound


def effects_of(pairs: SuitePairs) -> list[Effect]:
    """Every metric on every default slice of a suite."""
    levels = levels_of(pairs.scores)
    return [
        effect_of(pairs, metric, where)
        for metric in pairs.metrics
        for where in levels
        # Each effect of a corpus metric is a thousand resamples: only the coarse slices get one.
        if not metric.corpus or (where.position is None and where.level is None)
    ]


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
