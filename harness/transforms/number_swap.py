"""Another number for the one that is the answer, in the text and in the target."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.items import Item
from harness.core.rng import Rng
from harness.core.variants import Change, Level
from harness.transforms.answer_spans import first_answer, read_from_text, renamed
from harness.transforms.declaration import POOLS, Pool, Preserves, transform

ENGLISH = tuple(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty""".split()
)
CHINESE = "零一二三四五六七八九"
_CHINESE_RUN = "[〇零一二三四五六七八九十百千万亿两半]+"
# The whole run of digits and marks, so that "10:30" and "3.5" are no single number.
_NUMBER = re.compile(
    rf"[A-Za-z]*\d[\dA-Za-z]*(?:[.,:/-]\d+)*%?|\b(?:{'|'.join(ENGLISH)})\b|{_CHINESE_RUN}", re.IGNORECASE
)


@transform(
    family="contrast",
    preserves=Preserves.CHANGES,
    touches={"context", "question"},
    languages={"en", "zh"},
    unmet="no single number in an answer that is read from the text",
)
def number_swap(item: Item, rng: Rng, *, pool: Pool = "challenge") -> Iterator[Change]:
    """One change in which the answer's number is another of as many digits, wherever the text says it.

    Digits and words go together: nine, 9 and 九 become six, 6 and 六. Questions whose answer is worked out are left
    alone. Pools draw other numbers.

    Example:
        >>> from harness.core.items import Passage, Prompt, Target, Text
        >>> from harness.core.rng import rng_for
        >>> prompt = Prompt(context=(Passage("The museum closes at nine."),), question=Text("When does it close?"))
        >>> [change] = number_swap(Item("en", prompt, Target(answers=("nine", "9"))), rng_for(0))
        >>> word, digit = change.item.target.answers
        >>> ENGLISH.index(word) == int(digit), change.item.prompt.context[0].text == f"The museum closes at {word}."
        (True, True)
    """
    if not read_from_text(item):
        return
    found = _NUMBER.findall(first_answer(item))
    if len(found) != 1:
        return
    written = found[0]
    value = _value(written)
    if value is None:
        return
    for other in rng.shuffled(_near(value)):
        if POOLS[other % len(POOLS)] != pool:
            continue
        names = dict(zip(_forms(value), _forms(other), strict=True))
        done = renamed(item, names)
        if done is not None:
            changed, edits = done
            yield Change(changed, Level(name="number"), tuple(names.items()), edits)
            return


def _value(written: str) -> int | None:
    if written.isdigit():
        # A leading zero is a code's, and longer ones are no quantity.
        return int(written) if written.isascii() and len(written) < 7 and written[0] != "0" else None
    if written.lower() in ENGLISH[2:10]:
        return ENGLISH.index(written.lower())
    return CHINESE.index(written) if written in CHINESE and len(written) == 1 else None


def _forms(value: int) -> tuple[str, ...]:
    """How a number is written: in digits, and below ten in words too."""
    if not 2 <= value <= 9:
        return (str(value),)
    return (str(value), ENGLISH[value], ENGLISH[value].capitalize(), CHINESE[value])


def _near(value: int) -> list[int]:
    """Other numbers of as many digits; years stay within thirty."""
    if 2 <= value <= 9:
        return [other for other in range(2, 10) if other != value]
    if value < 2:
        return []
    reach = 30 if 1000 <= value <= 2100 else max(9, value // 3)
    near = range(max(10, value - reach), value + reach + 1)
    return [other for other in near if other != value and len(str(other)) == len(str(value))]
