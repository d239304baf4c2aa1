"""A comparison as small frames for charts: effects, robustness, positions, error classes. No statistics here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from harness.comparison import Comparison, Effect
from harness.report.effect_lines import default_margin, tone_of, unit_of, unit_order
from harness.report.heat import transform_effects
from harness.report.numbers import effect_text, interval_text, value_text

if TYPE_CHECKING:
    import pandas as pd

EFFECT_COLUMNS = (
    "suite", "metric", "slice", "kind", "title", "transform", "position", "level", "language", "baseline", "candidate",
    "effect", "low", "high", "tone", "margin", "n", "n_scored", "n_items", "lost", "won", "unit", "numbers",
)  # fmt: skip
POSITION_COLUMNS = ("suite", "transform", "position", "side", "score", "n_items", "difference")
CLASS_COLUMNS = ("suite", "error_class", "side", "share", "change", "low", "high", "n", "numbers")


def effects_frame(
    found: Comparison, *, suites: Collection[str] = (), metric: str | None = None
) -> pd.DataFrame:
    """Every effect as a row, worst first within its unit.

    Args:
        found: The comparison.
        suites: Only these; none named means all.
        metric: Only this metric; None means each suite's primary one.
    """
    primary = {pairs.record.name: pairs.record.primary for pairs in found.suites}
    chosen = [
        effect
        for effect in found.effects
        if (not suites or effect.suite in suites) and effect.metric == (metric or primary[effect.suite])
    ]
    frame = _frame((_effect_row(effect) for effect in chosen), EFFECT_COLUMNS)
    by_effect = frame.sort_values("effect", kind="stable", na_position="last")
    # Effects of two units have no order: metrics in 0 to 1 lead, the others follow by name.
    return by_effect.sort_values(
        "unit",
        kind="stable",
        key=lambda units: units.map(lambda unit: str(unit_order(unit))),
        ignore_index=True,
    )


def kind_of(effect: Effect) -> str:
    """What a slice is a step of: all, position, level, transform or language."""
    where = effect.slice
    for name in ("position", "level", "transform", "family", "language"):
        if getattr(where, name) is not None:
            return name
    return "tags" if where.tags else "all"


def _effect_row(effect: Effect) -> dict[str, Any]:
    where = effect.slice
    kind = kind_of(effect)
    return {
        "suite": effect.suite, "metric": effect.metric, "slice": where.title, "kind": kind,
        "title": f"{effect.suite} · {effect.metric}" if kind == "all" else where.title, "transform": where.transform,
        "position": where.position, "level": where.level, "language": where.language, "baseline": effect.baseline,
        "candidate": effect.candidate, "effect": effect.effect, "low": effect.low, "high": effect.high,
        "tone": tone_of(effect.low, effect.high), "margin": default_margin(effect), "n": effect.n,
        "n_scored": effect.n_scored, "n_items": effect.n_items, "lost": effect.lost, "won": effect.won,
        "unit": unit_of(effect), "numbers": f"{effect_text(effect.effect)} {interval_text(effect.low, effect.high)}",
    }  # fmt: skip


def metric_names(found: Comparison, suites: Collection[str] = ()) -> list[str]:
    """Metrics of the compared suites, primary ones first."""
    chosen = [pairs for pairs in found.suites if not suites or pairs.record.name in suites]
    primary = [pairs.record.primary for pairs in chosen]
    others = [fact.name for pairs in chosen for fact in pairs.record.metrics]
    return list(dict.fromkeys([*primary, *others]))


def robustness_frame(found: Comparison, *, suites: Collection[str] = ()) -> pd.DataFrame:
    """Each suite's primary metric on each transform: the paired difference and what stands in the cell."""
    effects = [
        effect
        for effect in transform_effects(found)
        if effect.effect is not None and (not suites or effect.suite in suites)
    ]
    rows = []
    for effect in effects:
        row = _effect_row(effect)
        is_open = row["tone"] == "flat"
        rows.append(
            {**row, "is_open": is_open, "cell": ("○ " if is_open else "") + effect_text(effect.effect)}
        )
    return _frame(rows, (*EFFECT_COLUMNS, "is_open", "cell"))


def position_frame(found: Comparison, *, suites: Collection[str] = ()) -> pd.DataFrame:
    """Score against the position of the key information: one row per suite, transform, position and side."""
    primary = {pairs.record.name: pairs.record.primary for pairs in found.suites}
    rows = []
    for effect in found.effects:
        where = effect.slice
        if where.position is None or effect.metric != primary[effect.suite] or effect.effect is None:
            continue
        if suites and effect.suite not in suites:
            continue
        for side, score in (("baseline", effect.baseline), ("candidate", effect.candidate)):
            rows.append(
                {
                    "suite": effect.suite, "transform": where.transform, "position": where.position, "side": side,
                    "score": score, "n_items": effect.n_items,
                    "difference": f"{effect_text(effect.effect)} {interval_text(effect.low, effect.high)}",
                }
            )  # fmt: skip
    return _frame(rows, POSITION_COLUMNS).sort_values(
        ["suite", "transform", "position", "side"], kind="stable", ignore_index=True
    )


def classes_frame(found: Comparison, *, suites: Collection[str] = ()) -> pd.DataFrame:
    """Error classes' shares of all items: one row per suite, class and side."""
    rows = []
    for share in found.classes:
        if suites and share.suite not in suites:
            continue
        points = (
            ""
            if share.low is None or share.high is None
            else f" [{100 * share.low:+.1f}, {100 * share.high:+.1f}]"
        )
        for side, value in (("baseline", share.baseline), ("candidate", share.candidate)):
            rows.append(
                {
                    "suite": share.suite, "error_class": share.error_class, "side": side, "share": value,
                    "change": share.change, "low": share.low, "high": share.high, "n": share.n,
                    "numbers": f"{100 * share.change:+.1f} pt{points}",
                }
            )  # fmt: skip
    return _frame(rows, CLASS_COLUMNS)


def slices_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The effects of `effects_frame` as people read them in a table."""
    import pandas as pd

    return pd.DataFrame(
        {
            "slice": frame["slice"],
            "baseline": [value_text(_none(value)) for value in frame["baseline"]],
            "candidate": [value_text(_none(value)) for value in frame["candidate"]],
            "difference": [effect_text(_none(value)) for value in frame["effect"]],
            "95 % interval": [
                interval_text(_none(low), _none(high))
                for low, high in zip(frame["low"], frame["high"], strict=True)
            ],
            "items": frame["n_items"],
            "lost": frame["lost"],
            "won": frame["won"],
        }
    )


def _none(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)


def _frame(rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame.from_records(list(rows), columns=list(columns))
