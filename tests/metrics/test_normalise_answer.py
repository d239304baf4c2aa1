"""The form in which answers are compared."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.normalise_answer import normalise_answer
from harness.metrics.split_tokens import split_tokens


@pytest.mark.parametrize(
    ("text", "other"),  # by hand: the same answer twice
    [
        ("Nine.", "nine"),
        ("the Eiffel  Tower", "Eiffel tower"),
        ("１，０００", "1000"),
        ("“北京”。", "北京"),
        ("北 京", "北京"),
        ("《红楼梦》", "红楼梦"),
        ("iPhone 15 手机", "ｉｐｈｏｎｅ 15手机"),
        ("don't", "dont"),
        ("3.140", "3.140!"),
    ],
)
def test_answers_that_differ_in_form_only_are_equal(text: str, other: str) -> None:
    assert normalise_answer(text) == normalise_answer(other)


@pytest.mark.parametrize(
    ("text", "other"),  # by hand: different answers
    [
        ("3.14", "314"),
        ("-5", "5"),
        ("C++", "C"),
        ("C#", "C"),
        ("+", "-"),
        ("Vitamin A", "vitamin"),
        ("A", "the"),
        ("是", "否"),
    ],
)
def test_answers_that_differ_in_content_stay_apart(text: str, other: str) -> None:
    assert normalise_answer(text) != normalise_answer(other)


def test_articles_go_in_english_only() -> None:
    assert normalise_answer("the cat") == "cat"
    assert normalise_answer("a casa", language="pt") == "a casa"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_normalising_again_keeps_the_words(text: str) -> None:
    once = normalise_answer(text, language="zh")
    assert normalise_answer(once, language="zh").split() == once.split() or not once.isascii()


@settings(deadline=None)
@given(st.text(alphabet=string.printable, max_size=200))
def test_ascii_tokens_are_those_of_rouge_score(text: str) -> None:
    from rouge_score.tokenize import tokenize

    assert split_tokens(text) == tokenize(text, None)


def test_rare_chinese_characters_are_tokens_too() -> None:
    assert split_tokens("𠮷野家😀") == ["𠮷", "野", "家", "😀"]
