"""What is known at each look, and whether that settles a rule: p values that may be looked at early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.comparison import Effect
from harness.comparison.units import differences_of
from harness.gating.gate import Judged
from harness.gating.verdict import Judgement, Status
from harness.stats.betting import betting_p, combined_p
from harness.stats.cluster import cluster_codes, cluster_means
from harness.stats.family import holm_adjusted
from harness.stats.sequential import sequential_p, z_of

Reading = Literal["population", "suite"]
BRAKE_SHARE = 0.2
"""Of the level: for losses so large that they show before the first look that O'Brien and Fleming would act on."""

_NOT_YET = -12.0  # the z value of a look that says nothing

Hypothesis = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one rule has at one look.

    Attributes:
        harm_p: p value of "not worse" that may be looked at now, before the family is counted.
        certify_p: The same of "worse by the margin or more".
    """

    harm_p: float
    certify_p: float


def hypothesis_of(judgement: Judgement) -> Hypothesis:
    """What a judgement is about, whatever was found."""
    effect = judgement.effect
    return judgement.rule, effect.suite, effect.metric, effect.slice


def is_tested(judgement: Judgement) -> bool:
    """Whether it was a test of a loss, not a floor or a list."""
    return (
        not judgement.rule.is_absolute
        and judgement.effect.harm_p is not None
        and judgement.margin is not None
    )


def evidence_at(
    history: Sequence[Mapping[Hypothesis, Judgement]],
    judged: Judged,
    orders: Mapping[str, Sequence[str]],
    *,
    hypothesis: Hypothesis,
    shares: Sequence[float],
    reading: Reading,
) -> Evidence:
    """The p values of one rule at the latest look.

    Args:
        history: Each look's tested judgements so far, the latest last.
        judged: The latest look, with its pairs.
        orders: Suite name -> its items in the order they are asked.
        hypothesis: Of which rule.
        shares: Of all planned looks.
        reading: Whether the items are a sample (population) or all that matters (suite).
    """
    latest = history[-1][hypothesis]
    assert latest.margin is not None
    is_last = shares[len(history) - 1] == 1
    stream = stream_of(latest.effect, judged, orders)
    if reading == "suite" and stream is not None:
        values, span, n_items = stream
        total = n_items if latest.rule.values is None else len(values)
        bounds = (-span, span)
        return Evidence(
            harm_p=betting_p(-values, mean=latest.margin, bounds=bounds, total=total),
            certify_p=betting_p(values, mean=-latest.margin, bounds=bounds, total=total),
        )
    looked = [look.get(hypothesis) for look in history]
    # A metric of the whole corpus is tested once, when all is in.
    waits = stream is None and not is_last
    harm = sequential_p([_z(one, "harm_p", waits=waits) for one in looked], shares)
    certify = sequential_p([_z(one, "certify_p", waits=waits) for one in looked], shares)
    brake = 1.0
    if stream is not None:
        values, span, _ = stream
        brake = betting_p(-values, mean=latest.margin, bounds=(-span, span))
    return Evidence(combined_p([harm, brake], shares=[1 - BRAKE_SHARE, BRAKE_SHARE]), certify)


def _z(judgement: Judgement | None, name: Literal["harm_p", "certify_p"], *, waits: bool) -> float:
    if judgement is None or waits:
        return _NOT_YET
    p_value = getattr(judgement.effect, name)
    return _NOT_YET if p_value is None else z_of(p_value)


def settled(
    judgements: Sequence[Judgement], evidence: Mapping[Hypothesis, Evidence], *, n_family: int, alpha: float
) -> tuple[Judgement, ...]:
    """The judgements with the p values of the looks, adjusted over the whole family, and the status they give.

    Args:
        judgements: The latest look's.
        evidence: Of every tested hypothesis.
        n_family: How many blocking hypotheses there will be once all is in; those not seen yet count as unsuspicious.
        alpha: The policy's level.
    """
    blocking = {hypothesis_of(one) for one in judgements if one.is_blocking}
    adjusted: dict[Hypothesis, float] = {}
    for is_blocking in (True, False):
        own = [key for key in evidence if (key in blocking) == is_blocking]
        unseen = max(0, n_family - len(own)) if is_blocking else 0
        p_values = holm_adjusted([*(evidence[key].harm_p for key in own), *[1.0] * unseen])
        adjusted |= dict(zip(own, p_values, strict=False))
    return tuple(
        one
        if hypothesis_of(one) not in evidence
        else _restated(one, adjusted[hypothesis_of(one)], evidence[hypothesis_of(one)].certify_p, alpha)
        for one in judgements
    )


def _restated(judgement: Judgement, harm_p: float, certify_p: float, alpha: float) -> Judgement:
    effect, margin = judgement.effect, judgement.margin
    assert effect.effect is not None and margin is not None
    loss = -effect.effect
    status: Status = "inconclusive"
    reason = f"a loss of {margin:.4g} can be neither shown nor ruled out with {effect.n_items} items so far."
    if harm_p <= alpha and loss > margin:
        status, reason = "fail", f"worse by {loss:.4g}, beyond the margin of {margin:.4g} (p = {harm_p:.2g})."
    elif certify_p <= alpha:
        status, reason = "pass", f"a loss of {margin:.4g} or more is ruled out (p = {certify_p:.2g})."
    return replace(judgement, status=status, reason=reason, harm_p=harm_p, certify_p=certify_p)


def stream_of(
    effect: Effect, judged: Judged, orders: Mapping[str, Sequence[str]]
) -> tuple[NDArray[np.float64], float, int] | None:
    """Source items' mean differences in the order asked, up is better; the metric's span; how many items there are.

    None where the metric has no value of single items, or no bounds: then nothing can be bet on it.
    """
    pairs = next((one for one in judged.pairing.suites if one.record.name == effect.suite), None)
    order = orders.get(effect.suite)
    if pairs is None or order is None:
        return None
    tags = judged.tags.get(effect.suite)
    found = differences_of(pairs, effect.metric, effect.slice, tags=tags)
    if found is None:
        return None
    means = cluster_means(found.values, cluster_codes(found.items)).tolist()
    by_item = dict(zip(sorted(set(found.items)), means, strict=True))
    values = np.array([by_item[item] for item in order if item in by_item])
    return values, found.span, max(len(order), len(values))
