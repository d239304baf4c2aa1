"""Perplexity per token over a whole suite."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from harness.core.errors import EmptyComparison
from harness.metrics.declare import CorpusRow, corpus_metric


@corpus_metric(direction="lower", bounds=(1.0, None), shapes={"likelihood"})
def token_perplexity(rows: Sequence[CorpusRow]) -> float:
    """exp of minus the mean log-likelihood per token over all rows, 1 or more; lower is better.

    Long texts weigh more than short ones, so it is not the mean of the texts' perplexities. Checkpoints
    with different tokenizers cannot be compared by it: use `bits_per_byte_loss`. Beyond the largest float
    it stays there.

    Raises:
        EmptyComparison: If there are no rows, no tokens, or a row without a log-likelihood.

    Example:
        >>> import math
        >>> half = [CorpusRow(logprob_nats=8 * math.log(0.5), tokens=8)]  # every token had probability 1/2
        >>> round(token_perplexity(half), 12)
        2.0
    """
    for row in rows:
        if row.logprob_nats is None or row.tokens is None:
            raise EmptyComparison(
                "token_perplexity got a row without a log-likelihood; leave failed answers out."
            )
    tokens = math.fsum(row.weight * (row.tokens or 0) for row in rows)
    if tokens <= 0:
        raise EmptyComparison(
            "token_perplexity has no tokens to average over; every answer failed or is empty."
        )
    nats = -math.fsum(row.weight * (row.logprob_nats or 0.0) for row in rows) / tokens
    return math.exp(nats) if nats < math.log(sys.float_info.max) else sys.float_info.max
