"""The answer was complete early, yet the output ran on until it was cut off."""

from __future__ import annotations

import re

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.lenient import first_record_end, first_statement_end, is_accepted
from harness.taxonomy.output_text import SPECIAL_TOKEN, bounded, generation_of, output_text

EARLY_SHARE = 0.6
_NEW_TURN = re.compile(
    r"\n\s{0,8}(?:\#{1,4}\s?)?(?:Q|Question|User|Human|Input|Passage|Text|问题|问|用户|短文|文本|输入)\s?[:：]",
    re.IGNORECASE,
)
_CONCLUDED = re.compile(
    r"####\s?-?[\d$].{0,40}|\\boxed\{[^{}\n]{1,80}\}|\bthe\s(?:final\s)?answer\sis:?\s[^\n.]{1,80}(?:\.|\n)"
    r"|答案(?:是|为|：|:)[^\n。]{1,80}[。\n]",
    re.IGNORECASE,
)


def _complete_at(text: str, case: Case) -> tuple[int, str] | None:
    """Where the answer was complete, and how one can tell."""
    item = case.variant.item
    for pattern, how in ((_NEW_TURN, "new turn"), (SPECIAL_TOKEN, "end token as text")):
        match = pattern.search(text)
        if match is not None and text[: match.start()].strip():
            return match.start(), how
    end = first_record_end(text) if item.prompt.output is not None else None
    if end is not None:
        return end, "whole record"
    end = first_statement_end(text)
    if is_accepted(text[:end], item):
        return end, "gold first"
    match = _CONCLUDED.search(text)
    return None if match is None else (match.end(), "answer announced")


@error_class(
    stage="termination",
    order=20,
    version=1,
    needs={"output", "gold", "finish_reason"},
    positives=(
        Example(
            output="Nine.\nThe museum is a fine place to see and many people go there every day of the",
            answers=("nine",),
            finish="length",
        ),
        Example(
            output="八点。\n问题：图书馆几点关门？\n答案：六点。\n问题：超市几点",
            answers=("九点",),
            language="zh",
            finish="length",
        ),
        Example(
            output='{"day": "Monday"}\n{"day": "Tuesday"}\n{"day": "Wednesday"}\n{"da',
            fields=(("day", "Monday"),),
            finish="length",
        ),
        Example(
            output="2 + 2 = 4. The answer is 4.\nNow think about 3 + 3, which is 6, and 4 + 4, which is 8, and",
            answers=("5",),
            finish="length",
        ),
    ),
    negatives=(
        Example(output="Nine.", answers=("nine",), finish="eos"),
        Example(output="First we add 16 and 3, which gives 19. Then we", answers=("40",), finish="length"),
        Example(output="首先，小明有三个苹果，然后他又买了", answers=("五",), language="zh", finish="length"),
        Example(
            output="We add 16 and 3, which gives 19, and we double that to get 38. The answer is 38.\nSo",
            answers=("40",),
            finish="length",
        ),
    ),
)
def no_end_of_sequence(case: Case) -> Found | None:
    """Cut off at the token limit although the answer was complete within the first 60 % of the text.

    Complete: the gold stands first, or a whole record, or the answer was announced, or a new turn or an end
    token written as text follows it. Points to end-of-sequence tokens that training masked.
    """
    generation, text = generation_of(case), output_text(case)
    if generation is None or text is None or generation.finish_reason != "length":
        return None
    scanned = bounded(text)
    complete = _complete_at(scanned, case)
    if complete is None or complete[0] > EARLY_SHARE * len(scanned):
        return None
    return Found(complete[1])
