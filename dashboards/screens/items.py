"""Items: what exactly changed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboards import data, frame, session
from dashboards.item_pane import show_item
from dashboards.state import View
from harness.report.item_queries import Wanted, page_of, select_items, suite_of
from harness.report.markup import shown

if TYPE_CHECKING:
    import pandas as pd

    from harness.comparison import Comparison

TRANSITIONS = {
    "": "All flips", "rw": "Lost: right → wrong", "wr": "Won: wrong → right", "ww": "Both wrong", "rr": "Both right",
}  # fmt: skip


def render() -> None:
    """Filters, the list they leave, and one item whole."""
    chosen = frame.chosen_runs()
    found = frame.compared(chosen)
    st.title("What exactly changed?")
    frame.header(found)
    items = data.items(chosen.url, chosen.baseline, chosen.candidate)
    if items.empty:
        frame.empty(
            "The compared suites have no metric that tells right from wrong, so no item can flip. "
            "The Compare page shows their effects.",
        )
    view = session.view()
    _filters(items, view)
    wanted = Wanted(view.suites, view.transform or None, view.transition, view.error_class or None, view.text)
    listed = select_items(items, wanted)
    _list_and_item(chosen, found, items, listed, view)


def _filters(items: pd.DataFrame, view: View) -> None:
    suites = list(dict.fromkeys(items["suite"]))
    within = items[items["suite"].isin(view.suites)] if view.suites else items
    kinds = (
        TRANSITIONS if view.transition in TRANSITIONS else {**TRANSITIONS, view.transition: view.transition}
    )
    st.segmented_control(
        "What happened",
        list(kinds),
        format_func=kinds.__getitem__,
        **session.bound("transition", view.transition),
    )
    st.pills(
        "Suites",
        suites,
        selection_mode="multi",
        **session.bound("suites", [name for name in view.suites if name in suites], place="items"),
    )
    columns = st.columns([2, 2, 3])
    transforms = sorted(within["transform"].unique(), key=lambda name: (name != "source", name))
    with columns[0]:
        _choice("Transform", "transform", transforms, view.transform, "Any transform")
    classes = sorted({*within["error_candidate"].dropna(), *within["error_baseline"].dropna()})
    with columns[1]:
        _choice("Error class", "error_class", classes, view.error_class, "Any error class")
    with columns[2]:
        st.text_input(
            "Text in outputs, gold or id",
            placeholder="Exact words, in any case",
            max_chars=300,
            **session.bound("text", view.text),
        )


def _choice(label: str, field: str, options: list[str], current: str, none: str) -> None:
    known = ["", *options] if not current or current in options else ["", current, *options]
    st.selectbox(
        label, known, format_func=lambda name: shown(name) if name else none, **session.bound(field, current)
    )


def _list_and_item(
    chosen: frame.Chosen, found: Comparison, items: pd.DataFrame, listed: pd.DataFrame, view: View
) -> None:
    ids = listed["variant_id"].to_list()
    if not ids and not view.item:
        frame.empty("No item fits these filters. Take one away, or choose 'All flips'.")
    page, number, n_pages = page_of(listed, view.page)
    item = view.item or (str(page["variant_id"].iloc[0]) if len(page) else "")
    suite = suite_of(items, item, suites=view.suites)
    if suite is None:
        frame.empty(f"Item '{item}' was not compared between these two runs; take it out of the link.")
        return
    told, pages = st.columns([1, 1], vertical_alignment="center")
    told.markdown(f"**{len(ids):,}** of {len(items):,} compared variants")
    if n_pages > 1:
        with pages:
            _pages(n_pages, number)
    _table(page, number)
    place = ids.index(item) if item in ids else None
    _steps(ids, place)
    show_item(chosen, found, suite, item)


def _pages(n_pages: int, number: int) -> None:
    key = f"page_{number}_of_{n_pages}"  # a page reached in another way (Next, a link) makes the widget anew
    st.pagination(n_pages, default=number, key=key, on_change=_page_taken, args=(key,))


def _page_taken(key: str) -> None:
    session.change(page=int(st.session_state[key]), item="")


def _table(page: pd.DataFrame, number: int) -> None:
    import pandas as pd

    rows = pd.DataFrame(
        {
            "change": [TRANSITIONS.get(letters, letters) for letters in page["transition"]],
            "suite": page["suite"],
            "transform": page["transform"],
            "language": page["language"],
            "error": [shown(text) if isinstance(text, str) else "" for text in page["error_candidate"]],
            "baseline's output": [_short(text) for text in page["output_baseline"]],
            "candidate's output": [_short(text) for text in page["output_candidate"]],
        }
    )
    key = f"list_{number}_{hash(tuple(page['variant_id']))}"
    st.dataframe(
        rows, hide_index=True, key=key, selection_mode="single-row", height=min(282, 36 * len(rows) + 38),
        column_config={"error": st.column_config.TextColumn(width=150)},
        on_select=lambda: _row_taken(key, page["variant_id"].to_list(), number),
        **frame.described(st.dataframe, "The items of this page; a row's selection shows it below."),
    )  # fmt: skip


def _row_taken(key: str, ids: list[str], number: int) -> None:
    selected: Any = st.session_state[key]
    rows = selected["selection"]["rows"]
    if rows:
        session.change(item=ids[rows[0]], page=number)


def _short(text: object) -> str:
    return shown(text, limit=120).replace("\n", " ⏎ ") if isinstance(text, str) else ""


def _steps(ids: list[str], place: int | None) -> None:
    """Previous and next through the whole list, over its pages."""
    from harness.report.item_queries import PAGE_SIZE

    back, forth, told = st.columns([1, 1, 4], vertical_alignment="center")
    for column, label, step, key in ((back, "Previous", -1, "K"), (forth, "Next", 1, "J")):
        target = None if place is None else place + step
        inside = target is not None and 0 <= target < len(ids)
        column.button(
            label,
            shortcut=key,
            disabled=not inside,
            width="stretch",
            on_click=session.change,
            kwargs={"item": ids[target], "page": target // PAGE_SIZE + 1}
            if inside and target is not None
            else {},
        )
    where = (
        f"Item {place + 1:,} of {len(ids):,}"
        if place is not None
        else "Not in the list above; the link named it"
    )
    told.caption(where)


if __name__ == "__main__":
    render()
