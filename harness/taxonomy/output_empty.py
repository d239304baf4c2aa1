"""Nothing visible was generated."""

from __future__ import annotations

from harness.core.scores import Case
from harness.metrics.examples import Example
from harness.taxonomy.declare import Found, error_class
from harness.taxonomy.output_text import SPECIAL_TOKEN, output_text


@error_class(
    stage="no_output",
    version=1,
    needs={"output"},
    positives=(
        Example(output="", answers=("nine",)),
        Example(output=" \n\u200b", answers=("九",), language="zh"),
        Example(output="<|im_end|></s>", answers=("nine",)),
        Example(output="<think>九点。</think>\n", answers=("九",), language="zh"),
    ),
    negatives=(
        Example(output=".", answers=("nine",)),
        Example(output="<think>九点", answers=("九",), language="zh"),
        Example(output="无", answers=("九",), language="zh"),
        Example(option_nats=(-1.0, -2.0), options=("a", "b"), option=0),
    ),
)
def output_empty(case: Case) -> Found | None:
    """No visible character is left without spaces, special tokens and a closed thinking block."""
    text = output_text(case)
    if text is None:
        return None
    left = SPECIAL_TOKEN.sub("", text)
    return None if any(character.isprintable() and not character.isspace() for character in left) else Found()
