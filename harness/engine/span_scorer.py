"""Scores spans the fastest way that this model and device were shown to bear."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.engine.memory import Budget
from harness.engine.packing import passes
from harness.engine.path_probe import PathChoice
from harness.engine.planning import Span
from harness.engine.scoring import Scored, SpanScore, scored
from harness.engine.scoring_plan import ScoringPlan
from harness.engine.tree_scoring import PassScores, SpanTable, TreeScorer


class SpanScorer:
    """Scores spans of one model under one plan; equal spans under an equal plan score bit for bit alike.

    Args:
        model: A causal language model in evaluation mode.
        choice: The way to score it (`path_probe.chosen_path`).
        plan: The numbers that shape the passes.
        budget: Shrinks where memory runs out.
    """

    def __init__(self, model: Any, choice: PathChoice, plan: ScoringPlan, budget: Budget) -> None:
        self.model = model
        self.choice = choice
        self.plan = plan
        self.budget = budget

    def scored(self, spans: Sequence[Span], *, done: Collection[str] = ()) -> Iterator[tuple[Span, Scored]]:
        """Each span's score as its pass is done.

        Args:
            spans: What to score, in any order.
            done: Ids of requests whose scores are known: they shape the passes as ever, but are not scored.
        """
        if self.choice.path == "plain" or self.choice.kinds is None:
            yield from scored(self.model, spans, self.budget, head_apart=self.choice.head_apart, done=done)
            return
        table = SpanTable(spans, is_done=[span.request_id in done for span in spans])
        tree = TreeScorer(self.model, self.choice.kinds, self.choice.head_apart, self.choice.path)
        steps = passes(
            table.trie,
            row_tokens=1 if self.choice.path == "batched" else self.plan.row_tokens,
            pass_tokens=self.plan.pass_tokens,
            costs=self.plan.costs,
        )
        for found in tree.scores(table, steps, self.budget):
            alone = found.spans
            if found.logprob_nats is None:
                tree.release()
            else:
                # In a packed row what is not finite spreads to the neighbours, whom a row of their own protects.
                finite = np.isfinite(found.logprob_nats)
                yield from _of_pass(table, found, finite)
                alone = found.spans[~finite]
            if len(alone):
                yield from self._plain([spans[index] for index in alone.tolist()], done)

    def _plain(self, spans: Sequence[Span], done: Collection[str]) -> Iterator[tuple[Span, Scored]]:
        yield from scored(self.model, spans, self.budget, head_apart=self.choice.head_apart, done=done)


def _of_pass(
    table: SpanTable, found: PassScores, chosen: npt.NDArray[np.bool_]
) -> Iterator[tuple[Span, SpanScore]]:
    assert found.logprob_nats is not None and found.is_greedy is not None
    seconds = found.seconds / len(found.spans)
    wanted = chosen & ~table.is_done[found.spans]
    for index, value, greedy in zip(
        found.spans[wanted].tolist(),
        found.logprob_nats[wanted].tolist(),
        found.is_greedy[wanted].tolist(),
        strict=True,
    ):
        yield table.spans[index], SpanScore(value, greedy, seconds)
