"""Self-contained HTML reports of a comparison and of a verdict: one file, no script, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.comparison import Comparison
from harness.comparison import compare as compare_runs
from harness.core.errors import EmptyComparison, RunNotFound
from harness.gating import Verdict
from harness.report.comparison import headline
from harness.report.effect_lines import (
    SHARES,
    EffectLine,
    lines_of_comparison,
    lines_of_judgements,
    unit_of,
    unit_order,
)
from harness.report.flip_cards import flip_sections, flips_counted
from harness.report.heat import heat_table, transform_effects
from harness.report.markup import Content, Markup, element, joined, shown
from harness.report.numbers import STATUS_MARKS, effect_text, interval_text
from harness.report.parts import (
    banner,
    differences_box,
    effects_table,
    gate_table,
    interval_key,
    styles,
    tally,
)
from harness.report.svg import class_bars, dot_plot
from harness.report.verdict import MDE_NOTE
from harness.store import Store, StoredRun

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def comparison_html(found: Comparison) -> str:
    """A report of a comparison, to open in any browser or keep as a build's artefact.

    It is not a verdict: nothing in it says whether the candidate may ship.
    """
    title = f"{_names(found.candidate)} against {_names(found.baseline)}"
    return _document(
        title,
        element("h1", shown(title)),
        _sides(found.baseline, found.candidate),
        element("p", *_summary(found)),
        differences_box(found.differences),
        *_comparison_sections(found),
    )


def verdict_html(verdict: Verdict, *, store: Store | None) -> str:
    """A report of a verdict: every rule against its margin, then what the runs say beyond the rules.

    Args:
        verdict: What the gate said.
        store: Where its runs lie; without it, or where they are gone, the report ends after the rules.
    """
    title = f"{STATUS_MARKS[verdict.status]} {verdict.status.upper()}: {_listed(verdict.candidate)}"
    blocking = [judgement for judgement in verdict.judgements if judgement.is_blocking]
    advisory = [judgement for judgement in verdict.judgements if not judgement.is_blocking]
    named = element(
        "p",
        "Candidate ", element("b", shown(_listed(verdict.candidate))), " against baseline ",
        element("b", shown(_listed(verdict.baseline))), ".", class_="h-sides",
    )  # fmt: skip
    content: list[Content] = [element("h1", "Can this candidate ship?"), named, banner(verdict)]
    content.append(differences_box(verdict.differences))
    if blocking:
        content += [element("h2", "Blocking rules"), gate_table(blocking)]
    if advisory:
        summary = f"Advisory rules: {tally(advisory)}"
        content += [element("h2", "Advisory rules"), _folded(summary, gate_table(advisory))]
    if verdict.judgements:
        content += [interval_key(), element("p", MDE_NOTE, class_="h-dim")]
        content += _plots("Every rule, worst first", lines_of_judgements(verdict.judgements))
    found = _compared(verdict, store)
    if found is not None:
        content += _comparison_sections(found, plots=False)
    return _document(title, *content)


def _compared(verdict: Verdict, store: Store | None) -> Comparison | None:
    if store is None:
        return None
    try:
        sides = [
            [store.run(run_id) for run_id, _ in named] for named in (verdict.baseline, verdict.candidate)
        ]
        return compare_runs(sides[0], sides[1])
    except (EmptyComparison, RunNotFound):
        return None  # the verdict itself says that nothing could be compared


def _comparison_sections(found: Comparison, *, plots: bool = True) -> Iterator[Content]:
    if plots:
        yield from _plots("Which suites moved, worst first", lines_of_comparison(found))
    shown_first = headline(found, everything=False)
    whole = [effect for effect in shown_first if effect.slice.title == "all"]
    yield element("h2", "Effects per suite")
    yield effects_table(
        sorted(whole, key=lambda effect: (*unit_order(unit_of(effect)), effect.effect or 0.0))
    )
    yield interval_key()
    for effect in whole:
        parts = [part for part in shown_first if part.suite == effect.suite and part.slice.title != "all"]
        if parts:
            summary = f"{shown(effect.suite)}: {len(parts)} slices"
            yield _folded(summary, effects_table(parts))
    heat = heat_table(transform_effects(found))
    if heat:
        yield element("h2", "Robustness: difference per transform")
        yield heat
        yield element(
            "p", "○ the interval includes no change; · the suite has no such variant.", class_="h-dim"
        )
    yield from _class_sections(found)
    yield element("h2", "Items that flipped")
    counts = flips_counted(found.flips)
    yield element("p", f"{counts['lost']:,} right → wrong, {counts['won']:,} wrong → right.")
    yield from flip_sections(found)


def _folded(summary: str, content: Markup) -> Markup:
    return element("details", element("summary", summary), element("div", content))


def _class_sections(found: Comparison) -> Iterator[Content]:
    if not found.classes:
        return
    yield element("h2", "What kind of wrong")
    yield element(
        "p",
        "Share of all items per primary error class: the baseline's bar above, the candidate's below; at the right "
        "the change with its paired 95 % interval.",
        class_="h-dim",
    )
    yield element("figure", class_bars(found.classes, title="Error classes per suite"))


def _plots(heading: str, lines: Sequence[EffectLine]) -> list[Content]:
    """One dot plot a unit: effects of metrics with other units never share an axis."""
    if not lines:
        return []
    content: list[Content] = [element("h2", heading)]
    for unit in dict.fromkeys(line.unit for line in lines):
        own = [line for line in lines if line.unit == unit]
        about = "metrics from 0 to 1" if unit == SHARES else unit
        title = f"Paired differences with 95 % intervals, {about}"
        content.append(element("figure", dot_plot(own, title=shown(title))))
    return content


def _summary(found: Comparison) -> list[Content]:
    lines = lines_of_comparison(found)
    worse = [line for line in lines if line.tone == "fail"]
    better = [line for line in lines if line.tone == "pass"]
    told = f"{len(worse)} of {len(lines)} suites lost more than chance explains, {len(better)} gained. "
    if found.is_same_checkpoint:
        told = "Both sides are the same checkpoint. " + told
    if worse:
        line = worse[0]
        told += (
            f"Worst: {shown(line.title)}, {effect_text(line.effect)} {interval_text(line.low, line.high)}, "
            f"{line.n_items} source items. "
        )
    return [
        told,
        element("span", "This is a comparison, not a verdict: harness gate gives one.", class_="h-dim"),
    ]


def _names(runs: Sequence[StoredRun]) -> str:
    return ", ".join(run.manifest.checkpoint.name for run in runs)


def _listed(side: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({run_id})" for run_id, name in side)


def _sides(baseline: Sequence[StoredRun], candidate: Sequence[StoredRun]) -> Markup:
    pieces: list[Content] = []
    for role, runs in (("Baseline", baseline), ("Candidate", candidate)):
        for run in runs:
            pieces.append(
                element(
                    "div",
                    f"{role}: ",
                    element("b", shown(run.manifest.checkpoint.name)),
                    " · run ",
                    element("code", run.run_id),
                    shown(f" · {run.manifest.created[:16].replace('T', ' ')} UTC"),
                )
            )
    return element("div", *pieces, class_="h-sides")


def _document(title: str, *content: Content) -> str:
    css = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        # Belt and braces: should any text ever escape its element, the browser still runs and loads nothing.
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", shown(title, limit=300)),
        styles(),
        element("style", Markup(css)),
    )
    footer = element(
        "footer",
        "Differences are paired by item and oriented so that + is better; intervals are 95 %, clustered by source "
        "item. Invisible and control characters of outputs are shown as escapes.",
    )
    body = element("body", element("main", *content, footer, class_="h"))
    return joined([Markup("<!doctype html>\n"), element("html", head, body, lang="en"), "\n"])
