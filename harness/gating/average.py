"""The average over tasks as a test of its own: a loss too thin for any one task to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.comparison import Effect, Slice
from harness.comparison.units import differences_of
from harness.gating.members import Member, Tags
from harness.gating.verdict import Judgement
from harness.stats.macro import macro_effect

AVERAGE = "average over tasks"


@dataclass(frozen=True, slots=True)
class Average:
    """The average over the blocking rules' tasks, each in shares of its metric's span.

    Args:
        member: The first rule that is averaged over; the average is told with it.
        effect: The average.
        margin: The mean of the margins, in shares of the span.
    """

    member: Member
    effect: Effect
    margin: float

    @property
    def harm_p(self) -> float:
        """One-sided p value of "not worse on average"."""
        assert self.effect.harm_p is not None
        return self.effect.harm_p


def average_of(members: Sequence[Member], margins: Sequence[float | None], tags: Tags) -> Average | None:
    """The average; None with fewer than two tasks that have values of single items.

    A task is a suite and metric judged whole: levels and rates of the same answers would count them twice.

    Args:
        members: What is tested.
        margins: Each one's margin in its metric's units.
        tags: Per suite, variant_id -> tags.
    """
    parts, seen = [], set()
    for member, margin in zip(members, margins, strict=True):
        task = member.pairs.record.name, member.metric.name
        is_whole = member.rule.by is None and member.rate is None and member.unfit is None
        # Over seeds the doubt is not in the items alone.
        is_whole = is_whole and member.pairs.seeds is None
        if member.rule.tier != "blocking" or not is_whole or margin is None or task in seen:
            continue
        own = tags.get(member.pairs.record.name)
        found = differences_of(member.pairs, member.metric.name, member.where, tags=own)
        if found is not None:
            seen.add(task)
            parts.append((member, found, margin / found.span))
    if len(parts) < 2:
        return None
    average = macro_effect(
        [found.values / found.span for _, found, _ in parts], [found.items for _, found, _ in parts]
    )
    n_scored = sum(found.values.size for _, found, _ in parts)
    effect = Effect(
        suite=f"{len(parts)} tasks", metric=AVERAGE, slice=Slice(), direction="higher", n=n_scored, failed=0,
        n_scored=n_scored, n_items=average.n_items, effect=average.effect, low=average.low, high=average.high,
        harm_p=average.harm_p, method=average.method,
    )  # fmt: skip
    return Average(parts[0][0], effect, sum(margin for _, _, margin in parts) / len(parts))


def average_judgement(average: Average | None, harm_p: float | None, *, alpha: float) -> Judgement | None:
    """A failure, where the average is significantly worse by more than its margin; else nothing is told of it.

    Args:
        average: The average.
        harm_p: Its p value, adjusted.
        alpha: The policy's level.
    """
    if average is None or harm_p is None or average.effect.effect is None:
        return None
    loss = -average.effect.effect
    if harm_p > alpha or loss <= average.margin:
        return None
    reason = (
        f"worse by {loss:.4g} on average, beyond the mean margin of {average.margin:.4g} "
        f"({'p < 0.0001' if harm_p < 0.0001 else f'p = {harm_p:.2g}'})."
    )
    return Judgement(
        average.member.rule, average.effect, average.margin, "fail", reason, harm_p, None, (), None
    )


def is_average(judgement: Judgement) -> bool:
    """Whether a judgement is of the average, not of one suite."""
    return judgement.effect.metric == AVERAGE
