"""Overlap of the answer's tokens with an accepted answer's: words, and single characters in Chinese."""

from __future__ import annotations

from collections import Counter

from harness.core.items import Target
from harness.core.scores import Case
from harness.metrics.declare import SCANNED_CHARACTERS, metric
from harness.metrics.normalise_answer import normalise_answer
from harness.metrics.split_tokens import split_normalised


def token_f1(answer: str, gold: str, *, language: str = "en") -> float:
    """F1 of two texts as bags of tokens, 0 to 1.

    Example:
        >>> token_f1("at nine o'clock", "nine"), token_f1("上午九点", "九点", language="zh")
        (0.5, 0.6666666666666666)
    """
    given = Counter(split_normalised(normalise_answer(answer, language=language)))
    wanted = Counter(split_normalised(normalise_answer(gold, language=language)))
    if not given or not wanted:
        return float(given == wanted)
    shared = sum((given & wanted).values())
    return 2 * shared / (given.total() + wanted.total())


@metric(
    direction="higher",
    bounds=(0.0, 1.0),
    pass_at=0.5,
    shapes={"short_answer", "free_text", "conversation"},
    target={"answers", "references"},
)
def token_f1_score(case: Case) -> float:
    """The best token F1 against any accepted answer, 0 to 1; right from 0.5.

    SQuAD's measure on `normalise_answer`'s form, with each Chinese character a token of its own. CMRC 2018
    cuts Chinese the same way but counts the longest common run instead of the shared tokens. Of an output
    only the first 65,536 characters are read.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> token_f1_score(example_case(Example(output="at nine o'clock", answers=("nine", "at nine"))))
        0.8
    """
    item = case.variant.item
    target = item.target or Target()
    text = (case.prediction.text or "")[:SCANNED_CHARACTERS]
    accepted = (*target.answers, *target.references)
    return max(token_f1(text, answer, language=item.language) for answer in accepted)
