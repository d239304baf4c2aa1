"""Strict reading of an English numeral in words: "three hundred and twenty", "forty-two", "a million"."""

from __future__ import annotations

ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
WORDS = (*ONES, *TENS, "hundred", *SCALES)


def _below_thousand(words: list[str]) -> int | None:
    total, rest = 0, list(words)
    if "hundred" in rest:
        place = rest.index("hundred")
        head = rest[:place]
        if len(head) != 1 or not 1 <= ONES.get(head[0], 1 if head[0] == "a" else 0) <= 99:
            return None
        total = 100 * ONES.get(head[0], 1)
        rest = rest[place + 1 :]
        if rest and rest[0] == "and":
            rest = rest[1:]
            if not rest:
                return None
        if not rest:
            return total
    if len(rest) == 1:
        small = {**ONES, **TENS}.get(rest[0])
        return None if small is None or (small == 0 and total) else total + small
    if len(rest) == 2 and rest[0] in TENS and 1 <= ONES.get(rest[1], 0) <= 9:
        return total + TENS[rest[0]] + ONES[rest[1]]
    return None


def english_number(text: str) -> int | None:
    """The value of a text that is one English numeral in words and nothing else, or None.

    Example:
        >>> english_number("three hundred and twenty"), english_number("Forty-two")
        (320, 42)
        >>> english_number("twenty thirty") is None, english_number("no one") is None
        (True, True)
    """
    words = text.casefold().replace("-", " ").split()
    if not words or len(words) > 30:
        return None
    total, last_scale, section = 0, 10**15, []
    for word in words:
        if word not in SCALES:
            section.append(word)
            continue
        value = 1 if section == ["a"] else _below_thousand(section)
        if not value or SCALES[word] >= last_scale:
            return None
        total, last_scale, section = total + value * SCALES[word], SCALES[word], []
    if not section:
        return total
    if total and section[0] == "and":
        section = section[1:]
    rest = _below_thousand(section)
    return None if rest is None or (total and rest == 0) else total + rest
