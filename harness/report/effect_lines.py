"""Effects as lines of a plot: what is drawn, in which units, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.comparison import Comparison, Effect
from harness.gating import Judgement
from harness.policy.rules import DEFAULT_MARGIN

SHARES = "0 to 1"
Tone = Literal["fail", "pass", "flat"]


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One interval to draw.

    Args:
        title: What it is about, for the axis.
        effect: The paired effect, up is better.
        low: Lower end of the 95 % interval; None where none is honest.
        high: Upper end.
        margin: Largest acceptable loss; None where none applies.
        n_items: Source items.
        unit: Lines of one unit may share an axis.
    """

    title: str
    effect: float
    low: float | None
    high: float | None
    margin: float | None
    n_items: int
    unit: str

    @property
    def tone(self) -> Tone:
        """fail or pass where the interval excludes no change, else flat."""
        return tone_of(self.low, self.high)


def tone_of(low: float | None, high: float | None) -> Tone:
    """Which side of no change an interval lies on.

    Example:
        >>> tone_of(-0.2, -0.1), tone_of(0.01, 0.1), tone_of(-0.1, 0.1), tone_of(None, None)
        ('fail', 'pass', 'flat', 'flat')
    """
    if low is None or high is None:
        return "flat"
    return "fail" if high < 0 else "pass" if low > 0 else "flat"


def unit_of(effect: Effect) -> str:
    """Metrics whose values lie in 0 to 1 share an axis; any other has its own."""
    values = [value for value in (effect.baseline, effect.candidate) if value is not None]
    return SHARES if all(0 <= value <= 1 for value in values) else effect.metric


def lines_of_comparison(found: Comparison) -> list[EffectLine]:
    """Each suite's primary metric over all its variants, worst first.

    Metrics in 0 to 1 carry the default policy's margin, so that the eye has a measure.
    """
    primary = {pairs.record.name: pairs.record.primary for pairs in found.suites}
    chosen = [
        effect
        for effect in found.effects
        if effect.metric == primary[effect.suite] and effect.slice.title == "all"
    ]
    return worst_first(
        line
        for effect in chosen
        if (line := _line(f"{effect.suite} · {effect.metric}", effect, default_margin(effect))) is not None
    )


def default_margin(effect: Effect) -> float | None:
    """The default policy's margin, for metrics in 0 to 1 only."""
    return DEFAULT_MARGIN if unit_of(effect) == SHARES else None


def lines_of_judgements(judgements: Sequence[Judgement]) -> list[EffectLine]:
    """Each judgement with its own rule's margin, worst first."""
    return worst_first(
        line
        for judgement in judgements
        if (line := _line(rule_title(judgement), judgement.effect, judgement.margin)) is not None
    )


def rule_title(judgement: Judgement) -> str:
    """A judgement for people: suite, metric and slice."""
    effect = judgement.effect
    where = "" if effect.slice.title == "all" else f" · {effect.slice.title}"
    return f"{effect.suite} · {effect.metric}{where}"


def worst_first(lines: Iterable[EffectLine]) -> list[EffectLine]:
    """Unit by unit, metrics in 0 to 1 leading; then by effect, losses first. Effects of two units have no order."""
    return sorted(lines, key=lambda line: (*unit_order(line.unit), line.effect, line.title))


def unit_order(unit: str) -> tuple[bool, str]:
    """Where a unit stands: metrics in 0 to 1 first, the others by name."""
    return unit != SHARES, unit


def _line(title: str, effect: Effect, margin: float | None) -> EffectLine | None:
    if effect.effect is None:
        return None
    return EffectLine(title, effect.effect, effect.low, effect.high, margin, effect.n_items, unit_of(effect))


@dataclass(frozen=True, slots=True)
class Axis:
    """The stretch of effects that a plot shows; it always holds 0."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value lies on the axis, 0 left to 1 right, cut at the ends."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def axis_of(lines: Iterable[EffectLine]) -> Axis:
    """An axis that shows every interval and margin with a little air.

    Example:
        >>> axis_of([EffectLine("x", -0.1, -0.2, 0.0, 0.05, 80, "0 to 1")])
        Axis(low=-0.21250000000000002, high=0.0625)
    """
    ends = [0.0]
    for line in lines:
        ends += [value for value in (line.effect, line.low, line.high) if value is not None]
        if line.margin is not None:
            ends += [-line.margin, line.margin]
    low, high = min(ends), max(ends)
    if low == high:
        low, high = -1.0, 1.0
    air = 0.05 * (high - low)
    return Axis(low - air, high + air)
