"""Negative log-likelihood of one text in bits per UTF-8 byte, whatever the tokenizer."""

from __future__ import annotations

import math

from harness.core.errors import UsageError
from harness.core.scores import Case
from harness.metrics.declare import metric
from harness.metrics.nats_per_token_loss import scored_text


@metric(direction="lower", bounds=(0.0, None), shapes={"likelihood"})
def bits_per_byte_loss(case: Case) -> float:
    """Bits needed per byte of the text, 0 or more; lower is better, and it has no pass rule.

    Comparable between checkpoints with different tokenizers; not between texts in different scripts.

    Example:
        >>> import math
        >>> from harness.metrics.examples import Example, example_case
        >>> bits_per_byte_loss(example_case(Example(text="abcd", text_nats=-8 * math.log(2), tokens=2)))
        2.0
    """
    answer = scored_text(case)
    text = case.variant.item.prompt.text
    if text is None or not text.text:
        raise UsageError(
            f"Item {case.variant.item_id}: no `text` in its prompt, so there are no bytes to count."
        )
    n_bytes = len(text.text.encode("utf-8", "surrogatepass"))
    return max(0.0, -answer.logprob_nats / math.log(2) / n_bytes)
