"""One item whole: prompt, gold, both outputs and what changed between them. Model output is never read as Markdown."""

from __future__ import annotations

import streamlit as st

from dashboards import data, frame
from harness.comparison import Comparison
from harness.core.errors import StoreError, UnknownName
from harness.report.item_queries import ItemDetail, Said, item_detail
from harness.report.markup import Markup, element, shown
from harness.report.numbers import count_text, value_text
from harness.report.parts import table, wrapped
from harness.report.word_diff import diff_markup

_MARKS = {True: ("✓ right", "h-pass"), False: ("✗ wrong", "h-fail"), None: ("no score", "h-inconclusive")}


def show_item(chosen: frame.Chosen, found: Comparison, suite: str, variant_id: str) -> None:
    """The item's head line, its texts side by side, the word diff and the facts."""
    try:
        tables = data.tables(chosen.url, chosen.baseline, chosen.candidate, suite)
        item = item_detail(found, suite, variant_id, tables=tables)
    except (UnknownName, StoreError) as error:
        frame.empty(str(error), f"harness doctor --store {chosen.url}")
        return
    st.html(wrapped(_head(item)))
    left, right = st.columns(2, gap="large")
    with left:
        _text(
            "Prompt",
            item.text.prompt or None,
            "Nothing stands before the answer: the options themselves are compared.",
            height=340,
        )
        _text("Gold", item.gold, "This item has no gold answer.")
    with right:
        _text("Baseline's output", item.baseline.output, "It gave no output.")
        _text("Candidate's output", item.candidate.output, "It gave no output.")
        st.caption("What changed, word by word")
        changed = diff_markup(item.baseline.output, item.candidate.output)
        st.html(wrapped(element("div", changed, class_="h-text", dir="auto")))
    st.html(wrapped(_facts(item)))


def _head(item: ItemDetail) -> Markup:
    where = "" if item.position is None else f" at position {item.position:g}"
    marks = []
    for side, said in (("baseline", item.baseline), ("candidate", item.candidate)):
        word, style = _MARKS[said.is_right]
        marks += [" ", element("span", f"{side} {word}", class_=f"h-pill {style}")]
    tags = " · ".join(f"{name}={value}" for name, value in item.text.tags)
    return element(
        "div",
        element("b", shown(item.suite)),
        shown(f" · {item.transform}{where} · {item.language}"),
        *marks,
        element(
            "div", "variant ", element("code", item.variant_id), " of item ", element("code", item.item_id),
            shown(f" · {tags}") if tags else None, class_="h-dim",
        ),
    )  # fmt: skip


def _text(label: str, text: str | None, absent: str, *, height: int | None = None) -> None:
    st.caption(label)
    if not text:
        st.caption(f"*{absent}*")
        return
    long = height is not None and text.count("\n") > 12
    st.code(shown(text), language=None, wrap_lines=True, height=height if long and height else "content")


def _facts(item: ItemDetail) -> Markup:
    metrics = [metric for metric, _ in item.candidate.scores]
    before, after = dict(item.baseline.scores), dict(item.candidate.scores)
    rows = [_row(metric, value_text(before.get(metric)), value_text(after.get(metric))) for metric in metrics]
    for label, told in (
        ("read as", lambda said: said.predicted or "-"),
        ("outcome", _outcome),
        ("error classes", lambda said: ", ".join(said.error_classes) or "-"),
        ("finish reason", lambda said: said.finish_reason or "-"),
        ("tokens", lambda said: count_text(said.tokens)),
        ("prompt tokens", lambda said: count_text(said.prompt_tokens)),
    ):
        sides = (told(item.baseline), told(item.candidate))
        if sides != ("-", "-"):
            rows.append(_row(label, *sides))
    return element("div", table(("", "Baseline", "Candidate"), rows), class_="h-scroll")


def _outcome(said: Said) -> str:
    return said.outcome + (f": {said.reason}" if said.reason else "")


def _row(label: str, before: str, after: str) -> Markup:
    return element(
        "tr",
        element("td", shown(label), class_="h-dim"),
        element("td", shown(before, limit=400)),
        element("td", shown(after, limit=400)),
    )
