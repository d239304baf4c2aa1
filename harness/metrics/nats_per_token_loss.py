"""Mean negative log-likelihood per token of one text."""

from __future__ import annotations

from harness.core.errors import UsageError
from harness.core.exchange import TextScored
from harness.core.scores import Case
from harness.metrics.declare import metric


def scored_text(case: Case) -> TextScored:
    """The log-likelihood that a case holds.

    Raises:
        UsageError: If something else was measured, or the text had no token.
    """
    answer = case.answer
    if not isinstance(answer, TextScored):
        raise UsageError(
            f"Item {case.variant.item_id} was answered by {type(answer).__name__}, "
            "not by a text's log-likelihood; "
            "this metric needs the task 'likelihood'."
        )
    if answer.tokens < 1:
        raise UsageError(
            f"Item {case.variant.item_id}: the text has no tokens, so there is no loss per token."
        )
    return answer


@metric(direction="lower", bounds=(0.0, None), shapes={"likelihood"})
def nats_per_token_loss(case: Case) -> float:
    """Minus the log-likelihood per token in nats, 0 or more; lower is better, and it has no pass rule.

    Paired tests use it: its mean over texts of equal length is the logarithm of `token_perplexity`.

    Example:
        >>> from harness.metrics.examples import Example, example_case
        >>> nats_per_token_loss(example_case(Example(text="a text", text_nats=-6.0, tokens=4)))
        1.5
    """
    answer = scored_text(case)
    return max(0.0, -answer.logprob_nats / answer.tokens)
