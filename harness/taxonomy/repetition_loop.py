"""The output ends in one piece said over and over."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.metrics.split_tokens import UNSPACED
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.output_text import output_text

LONGEST_PERIOD = 64
LEAST_REPEATS = 3
LEAST_UNITS = 12
# A run of letters without spaces is one unit; looked at by character it must be as long as twelve tokens are.
LEAST_CHARACTERS = 48
TAIL_CHARACTERS = 8_192
_UNIT = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|[^\w\s]")


def looping_period(units: Sequence[str], *, least: int = LEAST_UNITS) -> int | None:
    """The period of the periodic suffix of a sequence, or None where it has none that is long enough.

    A suffix counts if it has a period of at most 64, holds it at least three times, and is at least `least`
    long. Linear: the prefix function of the reversed tail.

    Example:
        >>> looping_period("x" + "ab" * 6), looping_period("x" + "ab" * 5) is None
        (2, True)
    """
    tail = list(units[-LONGEST_PERIOD * (LEAST_REPEATS + 1) :])[::-1]
    border = [0] * len(tail)
    longest = None
    for place in range(1, len(tail)):
        width = border[place - 1]
        while width and tail[place] != tail[width]:
            width = border[width - 1]
        border[place] = width + (tail[place] == tail[width])
        length = place + 1
        period = length - border[place]
        if length >= least and period <= LONGEST_PERIOD and length >= LEAST_REPEATS * period:
            longest = period
    return longest


@error_class(
    stage="termination",
    order=10,
    version=1,
    needs={"output"},
    positives=(
        Example(output="The cat sat on the mat. " + "I am a cat. " * 8, answers=("mat",), finish="length"),
        Example(output="答案是九点。" + "谢谢大家。" * 6, answers=("九点",), language="zh", finish="length"),
        Example(output="ha" * 30, answers=("nine",)),
        Example(output="好" * 15, answers=("九",), language="zh"),
    ),
    negatives=(
        Example(output="no, no, no", answers=("yes",)),
        Example(output="1. apples\n2. pears\n3. plums\n4. figs\n5. dates\n6. limes", answers=("six",)),
        Example(output="人山人海，高高兴兴，来来往往。", answers=("九",), language="zh"),
        Example(output="very " * 12 + "good indeed", answers=("good",)),
        Example(output="哈哈哈", answers=("九",), language="zh"),
    ),
)
def repetition_loop(case: Case) -> Found | None:
    """The output's end has a period of at most 64 words or Chinese characters, three times over and 12 at least."""
    text = output_text(case)
    if text is None:
        return None
    tail = text.rstrip()[-TAIL_CHARACTERS:]
    period = looping_period(_UNIT.findall(tail))
    if period is not None:
        return Found(f"period {period} units")
    period = looping_period(tail, least=LEAST_CHARACTERS)
    return None if period is None else Found(f"period {period} characters")
