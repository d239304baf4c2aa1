"""The URL contract: what is written is read back, defaults stay out, and hostile values do no harm."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.state import TRANSITIONS, View, link, parse, to_query

ids = st.text("abcdef0123456789", min_size=4, max_size=24)
words = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f,", exclude_categories=["Cs"]),
    min_size=1,
    max_size=60,
)
views = st.builds(
    View,
    baseline=ids,
    candidate=ids,
    suites=st.lists(words, max_size=4, unique=True).map(tuple),
    metric=words,
    transform=words,
    transition=st.sampled_from(TRANSITIONS),
    error_class=words,
    text=words,
    page=st.integers(1, 999_999),
    item=ids,
)


@settings(max_examples=40)
@given(views)
def test_a_view_comes_back_from_its_link(view: View) -> None:
    query = dict(parse_qsl(urlsplit(link("items", view)).query, keep_blank_values=True))
    assert parse(query) == (view, ())


def test_defaults_stay_out_of_the_link() -> None:
    assert to_query(View()) == {"v": "1"}


def test_the_names_of_the_contract_do_not_change() -> None:
    # By hand, from the contract: links live longer than code.
    view = View("aa11", "bb22", ("x", "y"), "accuracy", "typo", "rw", "refusal", "text", 3, "cc33")
    assert to_query(view) == {
        "v": "1", "a": "aa11", "b": "bb22", "s": "x,y", "m": "accuracy", "sl": "typo", "tr": "rw", "err": "refusal",
        "q": "text", "pg": "3", "item": "cc33",
    }  # fmt: skip


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*"vabsmq", "sl", "tr", "err", "pg", "item", "x"]), st.text()))
def test_any_link_gives_a_view_that_is_safe_to_use(query: dict[str, str]) -> None:
    view, _ = parse(query)
    assert view.transition in ("", *TRANSITIONS)
    assert 1 <= view.page < 10_000_000
    texts = [view.metric, view.transform, view.error_class, view.text, *view.suites]
    assert all(len(text) <= 300 and text.isprintable() or "\x00" not in text for text in texts)
    assert parse(to_query(view))[0] == view


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"a": "../../etc/passwd"}, "baseline '../../etc/passwd' is no id"),
        ({"b": "<script>"}, "candidate '<script>' is no id"),
        ({"item": "x y"}, "item 'x y' is no id"),
        ({"tr": "zz"}, "'zz' is not two of r, w and n"),
        ({"pg": "-1"}, "'-1' is not a number above 0"),
        ({"pg": "9" * 30}, "is not a number above 0"),
        ({"v": "2"}, "version '2'"),
    ],
)
def test_what_a_link_gets_wrong_is_said(query: dict[str, str], said: str) -> None:
    view, faults = parse(query)
    assert len(faults) == 1 and said in faults[0]
    assert view == View()


def test_a_very_long_link_is_cut() -> None:
    view, _ = parse({"q": "x" * 10_000, "s": ",".join(f"s{number}" for number in range(500))})
    assert len(view.text) == 300 and len(view.suites) == 60
