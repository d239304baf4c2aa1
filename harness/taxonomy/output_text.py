"""The generated text of a case as the error classes read it: bounded, and without its thinking block."""

from __future__ import annotations

import re

from harness.core.exchange import Generated, Generation
from harness.core.scores import Case
from harness.prompting.thinking import without_thinking

SCANNED_HEAD, SCANNED_TAIL = 49_152, 16_384  # 64 KiB: hostile outputs must not cost more
SPECIAL_TOKEN = re.compile(
    r"<\|[\w ]{1,40}\|>|</?s>|\[(?:PAD|EOS|BOS)\]"
    r"|<(?:pad|unk|eos|bos|eot|eoa|eoe|endoftext|end_of_turn|start_of_turn)>",
    re.IGNORECASE,
)


def generation_of(case: Case) -> Generation | None:
    """The generation of the case's sample, or None where nothing was generated."""
    if not isinstance(case.answer, Generated):
        return None
    return case.answer.generations[case.sample]


def bounded(text: str) -> str:
    """A text of more than 64 KiB characters as its beginning and end."""
    if len(text) <= SCANNED_HEAD + SCANNED_TAIL:
        return text
    return text[:SCANNED_HEAD] + "\n" + text[-SCANNED_TAIL:]


def output_text(case: Case) -> str | None:
    """The answer part of what was generated, or None where nothing was generated.

    A closed thinking block is taken off; where it was never closed, all of the text is the output.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> output_text(example_case(Example(output="<think>hm</think> nine", answers=("nine",))))
        'nine'
    """
    generation = generation_of(case)
    if generation is None:
        return None
    text = bounded(generation.text)
    answer = without_thinking(text)
    return text if answer is None else answer
