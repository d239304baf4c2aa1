"""Ties the view to Streamlit: the URL on arrival, widgets and buttons from then on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from dashboards.state import View, parse, to_query

_VIEW, _WRITTEN, _TOUCHED, _FAULTS = "view", "written_query", "touched", "link_faults"


def view() -> View:
    """What the pages show now."""
    current = st.session_state[_VIEW]
    assert isinstance(current, View)
    return current


def faults() -> tuple[str, ...]:
    """What of the link could not be used."""
    return tuple(st.session_state.get(_FAULTS, ()))


def take_url() -> None:
    """Takes the view from the URL on arrival, and whenever a link, not a widget, changed it.

    A widget's callback comes before the script: the browser may then still send the URL of the run before.
    """
    given = {name: st.query_params[name] for name in st.query_params}
    was_touched = st.session_state.pop(_TOUCHED, False)
    is_new = bool(given) and given != st.session_state.get(_WRITTEN)
    if _VIEW not in st.session_state or (is_new and not was_touched):
        st.session_state[_VIEW], st.session_state[_FAULTS] = parse(given)


def write_url() -> None:
    """Puts the view into the address bar, so that the address can be shared."""
    query = to_query(view())
    if {name: st.query_params[name] for name in st.query_params} != query:
        st.query_params.from_dict(query)
    st.session_state[_WRITTEN] = query


def settle(**fields: str) -> None:
    """Writes what a page chose by default into the view, so that a shared link means the same tomorrow."""
    current = view()
    open_fields = {name: value for name, value in fields.items() if not getattr(current, name)}
    st.session_state[_VIEW] = replace(current, **open_fields)


def change(**fields: Any) -> None:
    """Callback: sets fields of the view. A new list starts at its first page without a chosen item."""
    if not {"item", "page"} & set(fields):
        fields = {"item": "", "page": 1, **fields}
    st.session_state[_VIEW] = replace(view(), **fields)
    st.session_state[_TOUCHED] = True
    st.session_state[_FAULTS] = ()


def bound(field: str, value: Any, *, place: str = "sidebar") -> dict[str, Any]:
    """Arguments that make a widget show a value and write the field when a person changes it.

    Two widgets of one field, such as the suites' in the sidebar and on a page, need two places.
    """
    key = f"{place}_{field}"
    st.session_state[key] = value
    return {"key": key, "on_change": _taken, "args": (field, key)}


def _taken(field: str, key: str) -> None:
    value = st.session_state[key]
    if isinstance(value, list):
        value = tuple(value)
    change(**{field: "" if value is None else value})
