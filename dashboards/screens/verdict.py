"""Verdict: can this candidate ship?"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import data, frame, session
from dashboards.state import link
from harness.comparison import Effect
from harness.core.errors import HarnessError
from harness.report.markup import element, shown
from harness.report.parts import banner, differences_box, gate_table, interval_key, tally, wrapped
from harness.report.verdict import MDE_NOTE


def render() -> None:
    """One word and one sentence, then every rule against its margin."""
    chosen = frame.chosen_runs()
    st.title("Can this candidate ship?")
    try:
        verdict = data.verdict(chosen.url, chosen.baseline, chosen.candidate, data.policy())
    except HarnessError as error:
        frame.empty(
            f"There is no verdict: {error}",
            f"harness gate --candidate {chosen.candidate} --store {chosen.url}",
        )
        return
    (_, before), (_, after) = verdict.baseline[0], verdict.candidate[0]
    named = element(
        "p", "Candidate ", element("b", shown(after)), " against baseline ", element("b", shown(before)), ".",
        class_="h-dim",
    )  # fmt: skip
    st.html(wrapped(named, banner(verdict), differences_box(verdict.differences)))
    if not verdict.judgements:
        frame.empty(
            "No rule could be judged; the reason stands above.",
            f"harness compare {chosen.baseline} {chosen.candidate} --store {chosen.url}",
        )
    blocking = [judgement for judgement in verdict.judgements if judgement.is_blocking]
    advisory = [judgement for judgement in verdict.judgements if not judgement.is_blocking]
    if blocking:
        st.subheader("Blocking rules")
        st.html(wrapped(gate_table(blocking, link=items_link), interval_key()))
    if advisory:
        st.subheader("Advisory rules")
        with st.expander(tally(advisory), expanded=not blocking):
            st.html(wrapped(gate_table(advisory, link=items_link)))
    st.caption(f"{MDE_NOTE} A rule's name leads to the items it lost.")


def items_link(effect: Effect) -> str:
    """The items that a rule's slice lost."""
    view = session.view()
    return link(
        "items",
        replace(
            view, suites=(effect.suite,), transform=effect.slice.transform or "", transition="rw", error_class="",
            text="", page=1, item="",
        ),
    )  # fmt: skip


if __name__ == "__main__":
    render()
