"""The dashboard's entry: `harness dashboard` has Streamlit run this file."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboards import frame, session
from harness.report.markup import element, shown
from harness.report.parts import wrapped

# Of our own: the icon of a page, as a symbol name, would be fetched from a foreign host.
_ICON = str(Path(__file__).with_name("icon.svg"))
# Streamlit leaves much room around the page; a wide table needs it more.
_STYLE = (
    "<style>[data-testid=stMainBlockContainer] { padding: 2.4rem 2.6rem 4rem; max-width: 92rem; }"
    " [data-testid=stSidebarHeader] { height: 2rem; }</style>"
)


def main() -> None:
    """Sets the frame, then runs the page of the address."""
    st.set_page_config(
        page_title="sft-harness", page_icon=_ICON, layout="wide", initial_sidebar_state="expanded"
    )
    st.html(_STYLE)
    session.take_url()
    page = st.navigation(
        [
            st.Page("screens/verdict.py", title="Verdict", icon=":material/gavel:", default=True),
            st.Page("screens/compare.py", title="Compare", icon=":material/compare_arrows:"),
            st.Page("screens/robustness.py", title="Robustness", icon=":material/grid_on:"),
            st.Page("screens/items.py", title="Items", icon=":material/list_alt:"),
        ]
    )
    for fault in session.faults():
        st.html(wrapped(element("section", shown(fault), class_="h-note", role="status")))
    frame.sidebar(frame.runs_here())
    session.write_url()
    page.run()


if __name__ == "__main__":
    main()
