"""Strict reading of a Chinese numeral: 三百二十, 一万零五, 二〇二四, 三点一四, 负五."""

from __future__ import annotations

from fractions import Fraction

DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
UNITS = {"十": 10, "百": 100, "千": 1000}
# Financial and traditional forms, to the plain one.
_PLAIN = str.maketrans("壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億兩點負", "一二二三三四五六六七八九十百千万亿两点负")
CHARACTERS = "零〇一二两三四五六七八九十百千万亿"
ALTERNATIVES = "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億兩"
LONGEST = 40


def _below_ten_thousand(text: str) -> int | None:
    """A numeral of 千, 百, 十 and digits; units must fall, a skipped unit needs 零."""
    total, smallest, pending, after_zero = 0, 10_000, -1, False
    for place, character in enumerate(text):
        if character in UNITS:
            unit = UNITS[character]
            if pending < 0 and unit == 10 and place == 0:
                pending = 1  # 十五
            if pending <= 0 or unit >= smallest:
                return None
            total, smallest, pending, after_zero = total + pending * unit, unit, -1, False
        elif DIGITS[character] == 0:
            if pending >= 0 or after_zero or place == len(text) - 1:
                return None
            after_zero = True
        else:
            if pending >= 0:
                return None
            pending = DIGITS[character]
    if pending < 0:
        return total
    if smallest in (100, 1000) and not after_zero:
        return total + pending * smallest // 10  # 三百二 is 320
    return total + pending


def _integer(text: str) -> int | None:
    if not text:
        return None
    if all(character in DIGITS for character in text):
        return int("".join(str(DIGITS[character]) for character in text))
    for mark, scale in (("亿", 10**8), ("万", 10**4)):
        if mark in text:
            head, tail = text.rsplit(mark, 1)
            high = _integer(head)
            if not high:
                return None
            if not tail:
                return high * scale
            if len(tail) == 1 and DIGITS.get(tail, 0):
                return high * scale + DIGITS[tail] * scale // 10  # 一万五 is 15 000
            rest = tail[1:] if tail[0] in "零〇" else tail
            if len(rest) > 1 and all(character in DIGITS for character in rest):
                return None  # digit by digit is for a whole numeral only
            low = _integer(rest)
            return None if low is None or low >= scale else high * scale + low
    return _below_ten_thousand(text)


def chinese_number(text: str) -> Fraction | None:
    """The value of a text that is one Chinese numeral and nothing else, or None.

    Units 十 to 亿 (and 万亿), decimals after 点, digit by digit as in years, financial and traditional
    characters, the clipped forms 三百二 (320) and 一万五 (15 000). Not ordinals, 成 or 半.

    Example:
        >>> [int(chinese_number(text)) for text in ("三百二十", "一万零五", "二〇二四", "三亿五千万")]
        [320, 10005, 2024, 350000000]
        >>> chinese_number("三点一四"), chinese_number("百三千") is None
        (Fraction(157, 50), True)
    """
    plain = text.translate(_PLAIN)
    if not plain or len(plain) > LONGEST:
        return None
    sign = -1 if plain.startswith("负") else 1
    plain = plain.removeprefix("负")
    whole, point, decimals = plain.partition("点")
    if set(whole) - set(CHARACTERS) or set(decimals) - set(DIGITS) or bool(point) != bool(decimals):
        return None
    value = _integer(whole)
    if value is None:
        return None
    digits = "".join(str(DIGITS[character]) for character in decimals)
    return Fraction(sign) * (value + (Fraction(int(digits), 10 ** len(digits)) if digits else 0))
