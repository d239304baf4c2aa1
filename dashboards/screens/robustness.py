"""Robustness: does meaning-preserving noise, order or position break the candidate?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboards import frame, session
from harness.report.figures import heat_figure, position_figure
from harness.report.queries import position_frame, robustness_frame

if TYPE_CHECKING:
    import pandas as pd


def render() -> None:
    """The heat map of paired differences, then score against position."""
    found = frame.compared(frame.chosen_runs())
    st.title("Does a changed prompt break it?")
    frame.header(found)
    cells = robustness_frame(found, suites=session.view().suites)
    if cells.empty:
        frame.empty(
            "No compared suite has more than one transform here, so there is nothing to hold against the source.",
            "harness run CHECKPOINT --suite noisy-input --suite key-info-position",
        )
    _heat(cells)
    positions = position_frame(found, suites=session.view().suites)
    st.subheader("Lost in the middle?")
    if positions.empty:
        st.caption("No compared suite moves its key information; key-info-position does.")
        return
    st.caption(
        "Score where the key information stands; the small numbers on the axis count the source items there."
    )
    columns = st.columns(2, gap="large")
    for place, ((suite, transform), own) in enumerate(positions.groupby(["suite", "transform"], sort=False)):
        with columns[place % 2]:
            st.markdown(f"**{frame.plain(str(suite))}** · {frame.plain(str(transform))}")
            told = "; ".join(
                f"{row.side} at {row.position:g}: {row.score:.3f} (n {row.n_items})"
                for row in own.itertuples()
            )
            st.altair_chart(
                position_figure(own, palette=frame.palette()),
                key=f"position_{place}",
                **frame.described(st.altair_chart, f"Score against position, {suite}. {told}"),
            )


def _heat(cells: pd.DataFrame) -> None:
    st.subheader("Difference per suite and transform")
    st.caption(
        "Each cell: candidate minus baseline on the same variants, + is better. ○: the 95 % interval "
        "includes no change. A gap: the suite has no such variant. Click a cell for its items."
    )
    told = "; ".join(f"{row.suite}, {row.transform}: {row.numbers}" for row in cells.itertuples())
    event = st.altair_chart(
        heat_figure(cells, palette=frame.palette()),
        on_select="rerun",
        key="heat",
        **frame.described(st.altair_chart, f"Paired difference per suite and transform. {told}"),
    )
    points = event.selection.get("chosen", []) if hasattr(event, "selection") else []
    row = _row(cells, points[0]) if points else None
    if row is None:
        row = cells.sort_values("effect", kind="stable").iloc[0]
        lead = "Worst cell"
    else:
        lead = "Picked"
    text, button = st.columns([4, 1], vertical_alignment="center")
    text.markdown(
        f"{lead}: **{frame.plain(row['suite'])}** · {frame.plain(row['transform'])} · {frame.plain(row['numbers'])}, "
        f"{row['n_items']} source items, {_count(row['lost'])} lost, {_count(row['won'])} won"
    )
    if button.button(
        "Show its items",
        type="primary",
        width="stretch",
        on_click=session.change,
        kwargs={
            "suites": (row["suite"],), "transform": row["transform"], "transition": "rw", "error_class": "", "text": "",
        },
    ):  # fmt: skip
        st.switch_page("screens/items.py")


def _row(cells: pd.DataFrame, point: dict[str, str]) -> pd.Series | None:
    rows = cells[(cells["suite"] == point.get("suite")) & (cells["transform"] == point.get("transform"))]
    return None if rows.empty else rows.iloc[0]


def _count(value: object) -> str:
    return "-" if value is None or value != value else f"{int(value):,}"  # type: ignore[call-overload]


if __name__ == "__main__":
    render()
