"""The backend of a checkpoint in this process: plans, scores and generates, answering as batches complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from harness.core.errors import UsageError
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Choose,
    Chosen,
    Generated,
    Generation,
    OptionScore,
    Request,
    TextScored,
)
from harness.core.naming import unknown_name
from harness.engine.checkpoint import Checkpoint
from harness.engine.memory import Budget, default_batch_tokens
from harness.engine.planning import TOO_LONG, Opening, Planned, Span, TooLong, planned

# How many requests are sorted by length together: enough for even batches, few enough for steady answers.
LOOK_AHEAD = 1024


class LocalBackend:
    """Answers requests with a checkpoint on this machine (`core.exchange.Backend`).

    Args:
        checkpoint: An open checkpoint.
        batch_tokens: Tokens in a batch, padding included; None: by device and size of the model.
        too_long: What becomes of a prompt that does not fit the context: `fail` stops before anything runs,
            `skip` answers with a failure, `truncate-left` cuts and counts it.
    """

    def __init__(
        self, checkpoint: Checkpoint, *, batch_tokens: int | None = None, too_long: TooLong = "fail"
    ) -> None:
        if too_long not in TOO_LONG:
            raise unknown_name("policy for long prompts", too_long, TOO_LONG)
        if batch_tokens is not None and batch_tokens < 1:
            raise UsageError(f"batch_tokens: expected at least 1, got {batch_tokens}.")
        self.checkpoint = checkpoint
        self.too_long: TooLong = too_long
        self._budget = None if batch_tokens is None else Budget(batch_tokens)
        self._head_apart: bool | None = None
        self._truncated: set[str] = set()
        self._skipped: set[str] = set()

    @property
    def batch_tokens(self) -> int:
        """Tokens in a batch now; less than at the start where memory ran out."""
        return self._open_budget().tokens

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """Answers as batches complete; everything is tokenised and measured before this returns.

        Raises:
            PromptTooLong: At once, if the policy is `fail` and a prompt does not fit.
            UsageError: If two requests share an id.
            CheckpointError: While answering, if the weights cannot be loaded.
        """
        plan = planned(self.checkpoint, requests, too_long=self.too_long)
        self._truncated.update(plan.truncated)
        self._skipped.update(set(plan.too_long) - set(plan.truncated))
        return self._answers(requests, plan)

    def describe(self) -> dict[str, object]:
        """JSON-able record of what answers and how; counts cover everything answered so far."""
        notes = list(self.checkpoint.warnings)
        if self._truncated:
            notes.append(f"{len(self._truncated)} prompts were cut on the left to fit the context.")
        if self._skipped:
            notes.append(f"{len(self._skipped)} prompts did not fit the context and were not asked.")
        halvings = 0 if self._budget is None else self._budget.halvings
        if halvings:
            notes.append(f"Memory ran out {halvings} times; batches hold {self.batch_tokens} tokens now.")
        return {
            "kind": "local",
            **self.checkpoint.describe(),
            "batch_tokens": self.batch_tokens,
            "too_long": self.too_long,
            "truncated": len(self._truncated),
            "truncated_ids": sorted(self._truncated),
            "skipped": len(self._skipped),
            "out_of_memory_halvings": halvings,
            "notes": notes,
        }

    def _open_budget(self) -> Budget:
        if self._budget is None:
            facts = self.checkpoint
            self._budget = Budget(
                default_batch_tokens(facts.config, facts.identity.n_parameters, facts.device)
            )
        return self._budget

    def _answers(self, requests: Sequence[Request], plan: Planned) -> Iterator[tuple[str, Answer]]:
        yield from plan.failures.items()
        by_id = {request.request_id: request for request in requests}
        waiting = iter([request_id for request_id in by_id if request_id not in plan.failures])
        while window := list(islice(waiting, LOOK_AHEAD)):
            spans = [span for request_id in window for span in plan.spans.get(request_id, ())]
            if spans:
                yield from self._scored(spans, by_id, plan)
            openings = [plan.openings[request_id] for request_id in window if request_id in plan.openings]
            if openings:
                yield from self._generated(openings, plan)

    def _scored(
        self, spans: Sequence[Span], by_id: dict[str, Request], plan: Planned
    ) -> Iterator[tuple[str, Answer]]:
        from harness.engine.forward import has_head_apart
        from harness.engine.scoring import Scored, scored

        model = self.checkpoint.model
        if self._head_apart is None:
            self._head_apart = has_head_apart(model)
        gathered: dict[str, dict[int, Scored]] = {}
        for span, score in scored(model, spans, self._open_budget(), head_apart=self._head_apart):
            own = gathered.setdefault(span.request_id, {})
            own[span.slot] = score
            parts = plan.spans[span.request_id]
            if len(own) == len(parts):
                ordered = [gathered[span.request_id][slot] for slot in range(len(parts))]
                del gathered[span.request_id]
                yield span.request_id, _scored_answer(by_id[span.request_id], ordered, parts, plan)

    def _generated(self, openings: Sequence[Opening], plan: Planned) -> Iterator[tuple[str, Answer]]:
        from harness.engine.generation import Written, samples_of, written

        by_id = {opening.request.request_id: opening for opening in openings}
        gathered: dict[str, dict[int, Written]] = {}
        for text in written(self.checkpoint, openings, self._open_budget()):
            own = gathered.setdefault(text.request_id, {})
            own[text.sample] = text
            opening = by_id[text.request_id]
            if len(own) == samples_of(opening):
                parts = [own[sample] for sample in range(len(own))]
                del gathered[text.request_id]
                failed = [part.result for part in parts if isinstance(part.result, BackendFailure)]
                texts = [part.result for part in parts if isinstance(part.result, Generation)]
                copies = opening.request.n // len(parts)
                yield (
                    text.request_id,
                    failed[0]
                    if failed
                    else Generated(
                        tuple(texts * copies),
                        plan.prompt_tokens[text.request_id],
                        sum(part.seconds for part in parts),
                    ),
                )


def _scored_answer(
    request: Request, scores: Sequence[object], spans: Sequence[Span], plan: Planned
) -> Answer:
    from harness.engine.scoring import SpanScore

    for score in scores:
        if isinstance(score, BackendFailure):
            return score
    whole = [score for score in scores if isinstance(score, SpanScore)]
    seconds = sum(score.seconds for score in whole)
    if isinstance(request, Choose):
        options = tuple(
            OptionScore(score.logprob_nats, len(span.wanted), score.is_greedy)
            for score, span in zip(whole, spans, strict=True)
        )
        return Chosen(options, plan.prompt_tokens[request.request_id], seconds)
    return TextScored(
        sum(score.logprob_nats for score in whole), sum(len(span.wanted) for span in spans), seconds
    )
