"""Chinese and English numerals, and the number a text ends on."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.chinese_number import chinese_number
from harness.metrics.english_number import english_number
from harness.metrics.read_number import final_number, numbers_in, same_number, whole_number

HAN_DIGITS = "零一二三四五六七八九"
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def _han_section(number: int) -> str:
    """1 to 9,999 by the school rule: digit and unit, one 零 for skipped units inside."""
    words, skipped = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            words += ("零" if skipped and words else "") + HAN_DIGITS[digit] + name
            skipped = False
        else:
            skipped = True
    return words


def written_in_han(number: int) -> str:
    """The rule written down a second time, in the other direction: the oracle of the reader."""
    if number == 0:
        return "零"
    words = ""
    for scale, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        section = number // scale % 10**4
        if section:
            words += ("零" if words and section < 1000 else "") + _han_section(section) + name
    return words


def written_in_english(number: int) -> str:
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    for scale, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = number % scale
            tail = (" and " if name == "hundred" else " ") + written_in_english(rest) if rest else ""
            return f"{written_in_english(number // scale)} {name}{tail}"
    raise AssertionError(number)


@settings(deadline=None)
@given(st.integers(0, 10**12 - 1))
def test_a_chinese_numeral_is_read_back(number: int) -> None:
    assert chinese_number(written_in_han(number)) == number


@settings(deadline=None)
@given(st.integers(0, 10**12 - 1))
def test_an_english_numeral_is_read_back(number: int) -> None:
    assert english_number(written_in_english(number)) == number


@pytest.mark.parametrize(
    ("text", "value"),  # by hand
    [
        ("三百二", 320), ("一万五", 15_000), ("十五", 15), ("两千零二十四", 2024), ("二〇二四", 2024), ("负七", -7),
        ("壹仟贰佰叁拾肆", 1234), ("三万亿", 3 * 10**12), ("一亿零五", 100_000_005), ("三点一四", Fraction(157, 50)),
        ("貳萬", 20_000),
    ],
)  # fmt: skip
def test_chinese_forms_have_their_value(text: str, value: int | Fraction) -> None:
    assert chinese_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "百三千",
        "一百零",
        "三个",
        "点五",
        "一千千",
        "零零百",
        "一二万三四",
        "一" * 41,
        "三点",
        "百",
        "abc",
    ],
)
def test_what_is_no_chinese_numeral_is_refused(text: str) -> None:
    assert chinese_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),  # by hand
    [
        ("1,234,567.5 km", Fraction(2469135, 2)),
        ("１２３", 123),
        ("so 16 - 3 = 13", 13),
        ("it is -5 °C", -5),
        ("-$5.50", Fraction(-11, 2)),
        ("3/4 of it", Fraction(3, 4)),
        ("1 1/2 cups", Fraction(3, 2)),
        (r"\boxed{\frac{3}{8}} of 90", Fraction(3, 8)),
        ("about 3.2 × 10^5", 320_000),
        ("1e3", 1000),
        ("2.5 million", 2_500_000),
        ("3万5千元", 35_000),
        ("1.5亿", 150_000_000),
        ("答案是三百二十元，一共付了两次。", 320),
        ("三分之二", Fraction(2, 3)),
        ("The answer is 18 dollars for 7 days.", 18),
        ("The answer: 5 + 3 = 8 apples", 8),
        ("#### 72", 72),
        ("it takes forty-two days", 42),
        ("18.", 18),
        ("½", Fraction(1, 2)),
    ],
)
def test_the_final_number_is_found(text: str, value: int | Fraction) -> None:
    found = final_number(text)
    assert found is not None and found.value == value


@pytest.mark.parametrize(
    "text", ["", "none at all", "一共有很多", "十分感谢", "v2", "No one knows", "9" * 61]
)
def test_no_number_is_none(text: str) -> None:
    assert final_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("18 dollars", 18), ("三百二十元", 320), ("forty-two", 42), ("50%", 50)]
)
def test_a_text_that_is_a_number_is_read(text: str, value: int) -> None:
    found = whole_number(text)
    assert found is not None and found.value == value


@pytest.mark.parametrize("text", ["the 1998 World Cup", "国家图书馆", "3 and 5", "", "三国演义的作者"])
def test_a_text_with_more_than_a_number_is_not(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize(
    ("answer", "gold", "same"),  # by hand
    [
        ("50%", "50", True), ("50%", "0.5", True), ("百分之五十", "0.5", True), ("50%", "5", False),
        ("1000001", "1000000", False), ("0.3333333333", "1/3", True), ("0.333", "1/3", False),
        ("18.0", "18", True), ("-18", "18", False),
    ],
)  # fmt: skip
def test_numbers_are_equal_as_answers(answer: str, gold: str, same: bool) -> None:
    left, right = final_number(answer), final_number(gold)
    assert left is not None and right is not None
    assert same_number(left, right) is same


@settings(deadline=None)
@given(st.text(max_size=300))
def test_reading_never_fails(text: str) -> None:
    final_number(text)
    whole_number(text)
    numbers_in(text)
    chinese_number(text)
    english_number(text)
