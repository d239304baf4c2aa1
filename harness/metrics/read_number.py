"""The number that a text ends on or announces: digits first, then Chinese numerals, then English words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from harness.metrics.chinese_number import ALTERNATIVES, CHARACTERS, UNITS, chinese_number
from harness.metrics.english_number import SCALES, WORDS, english_number
from harness.metrics.normalise_answer import nfkc

SCANNED_HEAD, SCANNED_TAIL = 16_384, 16_384
MOST_MARKERS = 32  # announcements looked after, from the last one back
_HAN_SCALES = {**UNITS, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN = "".join(_HAN_SCALES)

_FRAC = re.compile(r"\\[dt]?frac\s?\{(-?\d{1,30})\}\s?\{(\d{1,30})\}")
_HAN_FRACTION = re.compile(r"(\d{1,30})\s?分之\s?(\d{1,30})")
_NUMBER = re.compile(
    rf"""
    (?<![A-Za-z\d])
    (?P<percent_before>百分之\s?)?
    (?:(?<![\w)\]%])(?P<sign>-)(?=[$€£¥]?\s?[\d.]))?
    [$€£¥]?\s?
    (?:
      (?P<mixed>\d{{1,30}})[ ](?P<above>\d{{1,30}})/(?P<below>\d{{1,30}})(?![\d/])
      | (?P<digits>\d{{1,3}}(?:,\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
        (?:[eE](?P<exponent>[+-]?\d{{1,2}})(?![A-Za-z\d]))?
        (?:\s?(?:[×x*]|\\times)\s?10\s?\^\s?\{{?(?P<power>-?\d{{1,2}})\}}?)?
        (?:\s?/\s?(?P<over>\d{{1,30}})(?![\d/.]))?
        (?P<han>[{_HAN}]{{1,3}}(?:\d{{1,8}}[{_HAN}]{{0,2}}){{0,4}})?
        (?:\s?(?P<scale>thousand|million|billion|trillion)\b)?
    )
    (?P<percent>\s?\\?(?:%|percent\b|per\ cent\b))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HAN_TERM = re.compile(rf"(\d{{1,8}})([{_HAN}]{{0,2}})")
_HAN_NUMBER = re.compile(
    rf"(?:百分之)?[负負]?[{CHARACTERS}{ALTERNATIVES}]+(?:[点點][{CHARACTERS}{ALTERNATIVES}]+)?"
    rf"(?:分之[{CHARACTERS}{ALTERNATIVES}]+)?"
)
# Words that only look like a numeral.
_HAN_WORDS = re.compile(
    r"一(?=[共样樣定起般直些下旦边邊切致律再种種旁会會面方])|(?:万|萬)一|统一|統一|唯一|之一|十分(?!之)|千万(?=别|不)|百姓|百货"
)
_ENGLISH_NUMBER = re.compile(rf"\b(?:(?:{'|'.join(WORDS)}|and|a)\b[\s-]?)+", re.IGNORECASE)
_ENGLISH_WORDS = re.compile(
    r"\b(?:no|any|every|some|each|which|this|that|the|another)[\s-]one\b", re.IGNORECASE
)
_MARKER = re.compile(
    r"####|\\boxed\s?\{|(?:^|\n)\W{0,4}A\s?[:：]|"
    r"\b(?:final\s)?answer(?:\W{0,4}\s(?:is|would\sbe))?\W{0,4}[:：]?|(?:答案|结果|結果)\W{0,4}(?:是|为|為)?\W{0,3}",
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\n]{0,300}")


@dataclass(frozen=True, slots=True)
class Number:
    """A number read from text: its value as written (50 for "50%") and whether it is a percentage."""

    value: Fraction
    percent: bool = False


def _folded(text: str) -> str:
    flat = nfkc(text).replace("\u2212", "-").replace("\u2044", "/").replace("{,}", ",")
    return _HAN_FRACTION.sub(r"\2/\1", _FRAC.sub(r"\1/\2", flat))


def _han_scaled(value: Fraction, han: str) -> Fraction:
    """ "3万5千": the value times its units, then the further terms."""
    units = re.match(rf"[{_HAN}]*", han)
    head = units.group() if units else ""
    for unit in head:
        value *= _HAN_SCALES[unit]
    for digits, scales in _HAN_TERM.findall(han[len(head) :]):
        term = Fraction(int(digits))
        for unit in scales:
            term *= _HAN_SCALES[unit]
        value += term
    return value


def _value(match: re.Match[str]) -> Number | None:
    if match["mixed"] is not None:
        below = int(match["below"])
        if below == 0:
            return None
        value = int(match["mixed"]) + Fraction(int(match["above"]), below)
    else:
        digits = match["digits"].replace(",", "")
        if len(digits) > 60:
            return None  # no answer is written so; keeps the arithmetic small
        value = Fraction(digits if digits[0] != "." else "0" + digits)
        for power in (match["exponent"], match["power"]):
            value *= Fraction(10) ** int(power or 0)
        if match["over"] is not None:
            if int(match["over"]) == 0:
                return None
            value /= int(match["over"])
        value = _han_scaled(value, match["han"] or "")
        value *= SCALES[match["scale"].casefold()] if match["scale"] else 1
    sign = -1 if match["sign"] else 1
    return Number(sign * value, bool(match["percent"] or match["percent_before"]))


def _digit_numbers(text: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(text):
        number = _value(match)
        if number is not None:
            yield number


def _han_numbers(text: str) -> Iterator[Number]:
    for match in _HAN_NUMBER.finditer(_HAN_WORDS.sub(" ", text)):
        words = match.group()
        percent = words.startswith("百分之")
        below, of, above = words.removeprefix("百分之").partition("分之")
        value = chinese_number(above if of else below)
        base = chinese_number(below) if of else Fraction(1)
        if value is not None and base:
            yield Number(value / base, percent)


def _english_numbers(text: str) -> Iterator[Number]:
    for match in _ENGLISH_NUMBER.finditer(_ENGLISH_WORDS.sub(" ", text)):
        words = match.group().strip(" -\n").removesuffix(" and").removesuffix(" a").strip()
        value = english_number(words.removeprefix("and "))
        if value is not None:
            yield Number(Fraction(value))


def _numbers(text: str) -> list[Number]:
    """All numbers of one kind: digits where there are any, else Chinese numerals, else English words."""
    for read in (_digit_numbers, _han_numbers, _english_numbers):
        found = list(read(text))
        if found:
            return found
    return []


def numbers_in(text: str) -> list[Number]:
    """All numbers of a text in order: its digits, or where it has none its Chinese or English numerals.

    Example:
        >>> [int(number.value) for number in numbers_in("16 eggs, 3 eaten, 1,000 sold")]
        [16, 3, 1000]
    """
    return _numbers(_folded(text[:SCANNED_HEAD]))


def final_number(text: str) -> Number | None:
    """The number that a text gives as its answer, or None.

    After the last "####", "\\\\boxed{", "A:", "answer is" or 答案是 that a number follows in its line: the
    first one, or the first after the line's last "="; without such a mark the last number of the text. Long
    texts are read at their beginning and end only.

    Example:
        >>> final_number("16 - 3 = 13 eggs.\\nA: $1,018 a day for 7 days").value
        Fraction(1018, 1)
        >>> final_number("一共三百二十元").value, final_number("about 50％")
        (Fraction(320, 1), Number(value=Fraction(50, 1), percent=True))
    """
    if len(text) > SCANNED_HEAD + SCANNED_TAIL:
        text = text[:SCANNED_HEAD] + "\n" + text[-SCANNED_TAIL:]
    flat = _folded(text)
    for marker in reversed(list(_MARKER.finditer(flat))[-MOST_MARKERS:]):
        line = _LINE.match(flat, marker.end())
        shown = line.group() if line else ""
        found = _numbers(shown.rpartition("=")[2]) or _numbers(shown)
        if found:
            return found[0]
    found = _numbers(flat)
    return found[-1] if found else None


_WHOLE_AROUND = re.compile(r"[^\W\d_]{0,12}(?:\s[^\W\d_]{1,12}){0,2}[\s.。!！]{0,3}")


def whole_number(text: str) -> Number | None:
    """The number that a text is, but for a unit of up to three words after it; None for any other text.

    Example:
        >>> whole_number("$18.50").value, whole_number("320 元").value, whole_number("三百二十元").value
        (Fraction(37, 2), Fraction(320, 1), Fraction(320, 1))
        >>> whole_number("March 3") is None, whole_number("between 3 and 5") is None
        (True, True)
    """
    flat = _folded(text).strip()
    if not flat or len(flat) > 80:
        return None
    match = _NUMBER.match(flat)
    if match is not None:
        return _value(match) if _WHOLE_AROUND.fullmatch(flat[match.end() :]) else None
    match = _HAN_NUMBER.match(flat)
    if match is not None:
        rest = flat[match.end() :]
        found = list(_han_numbers(match.group()))
        return (
            found[0]
            if len(found) == 1 and len(rest) <= 4 and not re.search(rf"[{CHARACTERS}]", rest)
            else None
        )
    value = english_number(flat.rstrip(".!"))
    return None if value is None else Number(Fraction(value))


def same_number(answer: Number, gold: Number) -> bool:
    """Whether two numbers are equal as answers.

    Whole numbers must be equal; others within one part in a million of the gold. Units are ignored, so
    "50%" equals "50"; and where only one of the two has a percent sign, "50%" equals "0.5" too.

    Example:
        >>> half, fifty = Number(Fraction(1, 2)), Number(Fraction(50), percent=True)
        >>> same_number(fifty, half), same_number(fifty, Number(Fraction(5)))
        (True, False)
    """

    def near(left: Fraction, right: Fraction) -> bool:
        if left.denominator == right.denominator == 1:
            return left == right
        return abs(left - right) <= abs(right) / 1_000_000

    if near(answer.value, gold.value):
        return True
    if answer.percent == gold.percent:
        return False
    return near(answer.value / 100, gold.value) if answer.percent else near(answer.value, gold.value / 100)
