"""Suites against transforms as a table of paired effects: a number in every cell, colour only beside it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.comparison import Comparison, Effect
from harness.report.effect_lines import tone_of
from harness.report.markup import Markup, element, shown
from harness.report.numbers import effect_text, interval_text
from harness.report.parts import breakable

STRONGEST = 0.25
"""Effect of a metric in 0 to 1 at which a cell is fully coloured."""


def transform_effects(found: Comparison) -> list[Effect]:
    """Each suite's primary metric on each transform of it."""
    primary = {pairs.record.name: pairs.record.primary for pairs in found.suites}
    return [
        effect
        for effect in found.effects
        if effect.metric == primary[effect.suite]
        and effect.slice.transform is not None
        and effect.slice.title == effect.slice.transform
    ]


def heat_table(effects: Sequence[Effect]) -> Markup:
    """The cells; a transform that a suite lacks is left blank. Nothing where there are no transforms."""
    if not effects:
        return Markup("")
    by_place = {(effect.suite, effect.slice.transform): effect for effect in effects}
    suites = list(dict.fromkeys(effect.suite for effect in effects))
    transforms = transforms_in_order(effects)
    head = [element("th", "Suite", scope="col")] + [
        element("th", breakable(name), scope="col") for name in transforms
    ]
    rows = [
        element(
            "tr",
            element("th", shown(suite), scope="row"),
            *(_cell(by_place.get((suite, transform))) for transform in transforms),
        )
        for suite in suites
    ]
    made = element("table", element("thead", element("tr", *head)), element("tbody", *rows), class_="h-heat")
    return element("div", made, class_="h-scroll", tabindex=0)


def transforms_in_order(effects: Sequence[Effect]) -> list[str]:
    """`source` first, then by name."""
    names = {effect.slice.transform for effect in effects if effect.slice.transform is not None}
    return sorted(names, key=lambda name: (name != "source", name))


def _cell(effect: Effect | None) -> Markup:
    if effect is None:
        return element("td", element("span", "·", class_="h-dim"), title="not in this suite")
    if effect.effect is None:
        return element("td", "n/a", class_="h-dim", title="nothing scored on both sides")
    tone = tone_of(effect.low, effect.high)
    strength = min(1.0, abs(effect.effect) / STRONGEST) * (0.55 if tone != "flat" else 0.2)
    colour = "var(--fail)" if effect.effect < 0 else "var(--pass)"
    mark = "○ " if tone == "flat" else ""
    told = (
        f"{effect.suite}, {effect.slice.transform}: {effect_text(effect.effect)} "
        f"{interval_text(effect.low, effect.high)}, {effect.n_items} items"
    )
    return element(
        "td",
        mark + effect_text(effect.effect),
        title=shown(told),
        class_="h-dim" if tone == "flat" else None,
        style=f"background:color-mix(in srgb, {colour} {100 * strength:.0f}%, transparent)",
    )
