"""Markup is safe by construction, and a word diff loses nothing."""

from __future__ import annotations

from html.parser import HTMLParser
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.markup import element, identifier, shown
from harness.report.word_diff import diff_markup, word_diff
from tests.report.pair_store import PAYLOADS

texts = st.one_of(st.sampled_from(PAYLOADS), st.text())


class OneElement(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(html: str) -> OneElement:
    parser = OneElement()
    parser.feed(html)
    parser.close()
    return parser


@given(texts, texts)
def test_content_and_attributes_stay_text(content: str, attribute: str) -> None:
    # `shown` first, as everywhere: NUL and its like have no place in HTML.
    found = parsed(element("p", shown(content), title=shown(attribute)))
    assert [tag for tag, _ in found.tags] == ["p"]
    assert found.tags[0][1] == [("title", shown(attribute))]
    assert found.text == shown(content)


@given(texts)
def test_what_is_shown_has_no_invisible_character(text: str) -> None:
    from unicodedata import category

    assert all(c in "\n\t" or category(c)[0] != "C" for c in shown(text))


@given(texts, texts)
def test_a_diff_holds_both_texts_whole(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after


@given(texts)
def test_equal_texts_have_no_change(text: str) -> None:
    assert all(piece.kind == "same" for piece in word_diff(text, text))


@settings(max_examples=30)
@given(texts, texts)
def test_a_diff_has_no_element_but_ins_del_and_em(before: str, after: str) -> None:
    assert {tag for tag, _ in parsed(diff_markup(before, after)).tags} <= {"ins", "del", "em"}


def test_a_chinese_character_is_a_word() -> None:
    kinds = [(piece.kind, piece.text) for piece in word_diff("共五十元", "共六十元")]
    assert kinds == [("same", "共"), ("removed", "五"), ("added", "六"), ("same", "十元")]


def test_huge_outputs_are_cut_and_quick_to_compare() -> None:
    started = perf_counter()
    made = diff_markup("a " * 500_000, "b" * 1_000_000)
    assert len(made) < 100_000
    assert perf_counter() - started < 3


def test_identifiers_have_harmless_characters_only() -> None:
    assert identifier("rule", 'a"::<b>') == "rule-a-b"
