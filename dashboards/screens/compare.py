"""Compare: which suites moved, and is it real?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboards import frame, session
from harness.report.figures import classes_figure, effects_figure
from harness.report.markup import element, shown
from harness.report.parts import interval_key, wrapped
from harness.report.queries import classes_frame, effects_frame, metric_names, slices_table

if TYPE_CHECKING:
    import pandas as pd

    from harness.comparison import Comparison


def render() -> None:
    """Every suite's paired difference, worst first; below, the slices and errors of the one picked."""
    found = frame.compared(frame.chosen_runs())
    st.title("Which suites moved, and is it real?")
    frame.header(found)
    view = session.view()
    metric = _metric(found)
    effects = effects_frame(found, suites=view.suites, metric=metric)
    whole = effects[(effects["kind"] == "all") & effects["effect"].notna()]
    if whole.empty:
        frame.empty(
            "No suite of this choice was scored on both sides. Choose other suites or another metric."
        )
    picked = _overview(whole)
    _slices(found, effects, picked)


def _metric(found: Comparison) -> str | None:
    names = metric_names(found, session.view().suites)
    current = session.view().metric
    heading, choice = st.columns([3, 1], vertical_alignment="bottom")
    heading.subheader("Paired differences, worst first")
    with choice:
        st.selectbox(
            "Metric",
            ["", *names],
            format_func=lambda name: shown(name) or "Each suite's primary",
            **session.bound("metric", current if current in names else "", place="compare"),
        )
    if current and current not in names:
        frame.empty(f"No compared suite has the metric '{current}'; choose another above.")
    return current or None


def _overview(whole: pd.DataFrame) -> str:
    """One dot plot a unit; gives the suite that was clicked, else the worst one."""
    st.html(wrapped(interval_key()))
    clicked = None
    for unit in dict.fromkeys(whole["unit"]):
        own = whole[whole["unit"] == unit]
        told = "; ".join(f"{row.title}: {row.numbers}" for row in own.itertuples())
        event = st.altair_chart(
            effects_figure(own, palette=frame.palette()),
            on_select="rerun",
            key=f"overview_{unit}",
            **frame.described(
                st.altair_chart, f"Paired differences with 95 % intervals, worst first. {told}"
            ),
        )
        clicked = _clicked(event) or clicked
    return clicked or str(whole["suite"].iloc[0])


def _clicked(event: Any) -> str | None:
    points = event.selection.get("chosen", []) if hasattr(event, "selection") else []
    return str(points[0]["suite"]) if points and "suite" in points[0] else None


def _slices(found: Comparison, effects: pd.DataFrame, clicked: str) -> None:
    suites = list(dict.fromkeys(effects["suite"]))
    key = f"picked_{clicked}"  # a new click starts a new choice
    suite = st.selectbox(
        "Suite in detail (or click a dot above)", suites, index=suites.index(clicked), key=key
    )
    own = effects[effects["suite"] == suite]
    parts = own[(own["kind"] != "all") & own["effect"].notna()]
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Its slices")
        if parts.empty:
            st.caption("This suite has no slices: one transform and one language.")
        else:
            told = "; ".join(f"{row.title}: {row.numbers}" for row in parts.head(20).itertuples())
            st.altair_chart(
                effects_figure(parts.head(20), palette=frame.palette()),
                key="slices",
                **frame.described(st.altair_chart, f"Slices of {suite}. {told}"),
            )
    with right:
        st.subheader("What kind of wrong")
        classes = classes_frame(found, suites=[suite])
        if classes.empty:
            st.caption("Neither side made an error that has a class here.")
        else:
            told = "; ".join(
                dict.fromkeys(f"{row.error_class}: {row.numbers}" for row in classes.itertuples())
            )
            st.altair_chart(
                classes_figure(classes, palette=frame.palette()),
                key="classes",
                **frame.described(st.altair_chart, f"Error classes of {suite}. {told}"),
            )
            lines = dict.fromkeys(f"{row.error_class}: {row.numbers}" for row in classes.itertuples())
            st.html(wrapped(element("ul", *(element("li", shown(line)) for line in lines), class_="h-dim")))
    with st.expander("All slices as a table"):
        st.dataframe(slices_table(own), hide_index=True)
    if st.button(
        "Show the items it lost",
        type="primary",
        on_click=session.change,
        kwargs={"suites": (suite,), "transition": "rw", "transform": "", "error_class": "", "text": ""},
    ):
        st.switch_page("screens/items.py")


if __name__ == "__main__":
    render()
