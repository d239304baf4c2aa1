"""Parts that the HTML report and the dashboard share: banner, gate table, effects table, differences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.comparison import Difference, Effect
from harness.gating import Judgement, Verdict
from harness.report.effect_lines import (
    Axis,
    EffectLine,
    Tone,
    axis_of,
    default_margin,
    lines_of_judgements,
    rule_title,
    tone_of,
    unit_of,
)
from harness.report.markup import Content, Markup, element, identifier, joined, shown
from harness.report.numbers import (
    STATUS_MARKS,
    count_text,
    effect_text,
    interval_text,
    scored_text,
    value_text,
)
from harness.report.verdict import MDE_NOTE, detectable_text

Link = Callable[[Effect], str]
_TONES: dict[Tone, str] = {"fail": "h-loss", "pass": "h-gain", "flat": ""}


def styles() -> Markup:
    """The style sheet of these parts."""
    css = Path(__file__).with_name("parts.css").read_text(encoding="utf-8")
    return element("style", Markup(css))


def banner(verdict: Verdict) -> Markup:
    """The verdict in one word and one sentence, and how its rules came out."""
    blocking = [judgement for judgement in verdict.judgements if judgement.is_blocking]
    advisory = [judgement for judgement in verdict.judgements if not judgement.is_blocking]
    counts: list[Content] = [
        element("span", f"{name}: {tally(judgements)}")
        for name, judgements in (("Blocking rules", blocking), ("Advisory", advisory))
        if judgements
    ]
    policy = verdict.policy_path or "default policy"
    counts.append(element("span", f"Policy: {shown(policy)} ({verdict.policy_digest[:12]})"))
    counts.append(element("span", f"Level: {verdict.alpha:g}"))
    word = f"{STATUS_MARKS[verdict.status]} {verdict.status.upper()}"
    return element(
        "section",
        element("div", word, class_="h-word"),
        element("p", shown(verdict.reason)),
        element("div", *counts, class_="h-counts"),
        class_=f"h-banner h-{verdict.status}",
        role="status",
    )


def tally(judgements: Sequence[Judgement]) -> str:
    """How many failed, are undecided and passed, in words."""
    counts = [
        (status, sum(judgement.status == status for judgement in judgements))
        for status in ("fail", "inconclusive", "pass")
    ]
    words = {"fail": "failed", "inconclusive": "undecided", "pass": "passed"}
    return ", ".join(f"{count} {words[status]}" for status, count in counts if count)


def gate_table(judgements: Sequence[Judgement], *, link: Link | None = None) -> Markup:
    """One row a rule, suite and slice, what failed first: values, effect, interval against margin, power, reason."""
    axes = _axes(lines_of_judgements(judgements))
    head = (
        "", "Rule", "Baseline → candidate", "Difference", "95 % interval", "Margin", "Items", "MDE", "Why",
    )  # fmt: skip
    rows = [_gate_row(judgement, axes, link) for judgement in gravest_first(judgements)]
    made = table(head, rows, numbers=(2, 3, 5, 6, 7))
    return element("div", made, class_="h-scroll", tabindex=0, role="group", aria_label="Rules")


def gravest_first(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Failed, then undecided, then passed ones; the largest loss leading each."""
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    return sorted(judgements, key=lambda each: (order[each.status], each.effect.effect or 0.0, each.title))


def _gate_row(judgement: Judgement, axes: dict[str, Axis], link: Link | None) -> Markup:
    effect = judgement.effect
    needed = f" About {count_text(judgement.items_needed)} items would do." if judgement.items_needed else ""
    pill = element(
        "span", f"{STATUS_MARKS[judgement.status]} {judgement.status}", class_=f"h-pill h-{judgement.status}"
    )
    return element(
        "tr",
        element("td", pill),
        element("td", _rule_name(judgement, link), class_="h-rule"),
        *_values(effect),
        element("td", _forest(effect, judgement.margin, axes)),
        element("td", value_text(judgement.margin), class_="h-number"),
        element("td", str(effect.n_items), title=_scored(effect), class_="h-number"),
        element("td", detectable_text(judgement), class_="h-number", title=MDE_NOTE),
        element("td", shown(judgement.reason) + needed, class_="h-reason"),
        id=identifier("rule", judgement.title),
    )


def _rule_name(judgement: Judgement, link: Link | None) -> Content:
    effect = judgement.effect
    name: Content = effect.suite
    if link is not None:
        name = element("a", shown(effect.suite), href=link(effect), title=f"Items of {rule_title(judgement)}")
    where = "all variants" if effect.slice.title == "all" else effect.slice.title
    return [element("b", name), element("span", breakable(f"{effect.metric} · {where}"))]


def effects_table(effects: Sequence[Effect], *, link: Link | None = None) -> Markup:
    """One row a suite, metric and slice: values, effect, interval drawn, counts of flips."""
    axes = _axes([_effect_line(effect) for effect in effects if effect.effect is not None])
    head = ("Suite", "Baseline → candidate", "Difference", "95 % interval", "Scored", "Items", "Lost", "Won")
    rows = []
    for effect in effects:
        where = "all variants" if effect.slice.title == "all" else effect.slice.title
        name: Content = shown(effect.suite)
        if link is not None:
            name = element("a", shown(effect.suite), href=link(effect))
        rule = [element("b", name), element("span", breakable(f"{effect.metric} · {where}"))]
        rows.append(
            element(
                "tr",
                element("td", rule, class_="h-rule"),
                *_values(effect),
                element("td", _forest(effect, default_margin(effect), axes)),
                element("td", scored_text(effect.n_scored, effect.n), class_="h-number"),
                element("td", str(effect.n_items), class_="h-number"),
                element("td", count_text(effect.lost), class_="h-number"),
                element("td", count_text(effect.won), class_="h-number"),
            )
        )
    return element("div", table(head, rows, numbers=(1, 2, 4, 5, 6, 7)), class_="h-scroll", tabindex=0)


def _effect_line(effect: Effect) -> EffectLine:
    assert effect.effect is not None
    return EffectLine(
        effect.suite, effect.effect, effect.low, effect.high, default_margin(effect), effect.n_items,
        unit_of(effect),
    )  # fmt: skip


def _axes(lines: Iterable[EffectLine]) -> dict[str, Axis]:
    by_unit: dict[str, list[EffectLine]] = {}
    for line in lines:
        by_unit.setdefault(line.unit, []).append(line)
    return {unit: axis_of(own) for unit, own in by_unit.items()}


def _values(effect: Effect) -> tuple[Markup, ...]:
    is_lower = effect.direction == "lower"
    tone = _TONES[tone_of(effect.low, effect.high)]
    values = f"{value_text(effect.baseline)} → {value_text(effect.candidate)}"
    return (
        element(
            "td", values, element("div", "lower is better", class_="h-dim h-ends") if is_lower else None,
            class_="h-number",
        ),
        element("td", element("span", effect_text(effect.effect), class_=tone or None), class_="h-number"),
    )  # fmt: skip


def _forest(effect: Effect, margin: float | None, axes: dict[str, Axis]) -> Content:
    """The interval on the unit's axis, with the numbers below it."""
    axis = axes.get(unit_of(effect))
    if effect.effect is None or axis is None:
        return element("span", "nothing scored on both sides", class_="h-dim")
    pieces = []
    if margin is not None:
        left, right = axis.share(-margin), axis.share(margin)
        pieces.append(_bar("h-band", left, right - left))
        pieces.append(_bar("h-limit", left))
    pieces.append(_bar("h-zero", axis.share(0.0)))
    if effect.low is not None and effect.high is not None:
        left, right = axis.share(effect.low), axis.share(effect.high)
        pieces.append(_bar("h-line", left, max(right - left, 0.004)))
    tone = tone_of(effect.low, effect.high)
    pieces.append(_bar("h-dot" + (" h-hollow" if tone == "flat" else ""), axis.share(effect.effect)))
    numbers = interval_text(effect.low, effect.high)
    told = f"{effect_text(effect.effect)}, 95 % interval {numbers}, margin {value_text(margin)}"
    styled = {"fail": "h-fail", "pass": "h-pass", "flat": "h-flat"}[tone]
    drawn = element("span", *pieces, class_=f"h-forest {styled}", role="img", aria_label=told, title=told)
    return [drawn, element("span", numbers, class_="h-ends")]


def breakable(name: str) -> Markup:
    """A name that may wrap after its underscores and nowhere inside its words."""
    return joined([[part, element("wbr")] for part in re.split(r"(?<=_)", shown(name))])


def _bar(style: str, left: float, width: float | None = None) -> Markup:
    place = f"left:{100 * left:.2f}%" + ("" if width is None else f";width:{100 * width:.2f}%")
    return element("span", class_=style, style=place)


def _scored(effect: Effect) -> str:
    return f"{scored_text(effect.n_scored, effect.n)} variants scored on both sides"


def table(head: Sequence[str], rows: Iterable[Content], *, numbers: Sequence[int] = ()) -> Markup:
    """A table; the columns of `numbers` are aligned to the right."""
    cells = [
        element("th", name, scope="col", class_="h-number" if place in numbers else None)
        for place, name in enumerate(head)
    ]
    return element("table", element("thead", element("tr", *cells)), element("tbody", *rows))


def interval_key() -> Markup:
    """What the marks of an interval mean."""
    told = (
        "● interval excludes no change", "○ interval includes it", "shaded: within the margin",
        "dashed: largest acceptable loss", "+ is better, whatever the metric's direction",
    )  # fmt: skip
    return element("div", *(element("span", text) for text in told), class_="h-key")


def differences_box(differences: Sequence[Difference]) -> Markup:
    """What else differs between the two sides; nothing where nothing does."""
    grave = [each for each in differences if each.excluded or each.kind not in ("version", "note")]
    light = [each for each in differences if each not in grave]
    if not grave and not light:
        return Markup("")
    heading = "Not comparable in part" if any(each.excluded for each in grave) else "What else differs"
    return element(
        "section",
        element("b", ("! " if grave else "· ") + heading),
        element("ul", *(element("li", shown(_told(each))) for each in [*grave, *light])),
        class_="h-note",
    )


def _told(difference: Difference) -> str:
    left_out = f" ({count_text(difference.excluded)} variants left out)" if difference.excluded else ""
    return f"{difference.suite or 'All suites'}: {difference.message}{left_out}"


def wrapped(*content: Content) -> Markup:
    """Parts with their style sheet, as one piece for a page that has none of its own."""
    return joined([styles(), element("div", *content, class_="h")])
