"""The backend of a checkpoint in this process: plans, scores and generates, answering as batches complete."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

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
from harness.engine.peak_memory import forget_peak, peak_bytes
from harness.engine.planning import TOO_LONG, Opening, Planned, Span, TooLong, planned

if TYPE_CHECKING:
    from harness.engine.path_probe import PathChoice
    from harness.engine.scoring import Scored
    from harness.engine.scoring_plan import ScoringPlan
    from harness.engine.span_scorer import SpanScorer

# How many texts are sorted by length together: enough for even batches, few enough for steady answers.
LOOK_AHEAD = 1024
Scoring = Literal["auto", "plain"]
SCORING: tuple[Scoring, ...] = ("auto", "plain")


class LocalBackend:
    """Answers requests with a checkpoint on this machine (`core.exchange.Backend`).

    Args:
        checkpoint: An open checkpoint.
        batch_tokens: Most tokens in a pass, padding included; None: by device and size of the model.
        too_long: What becomes of a prompt that does not fit the context: `fail` stops before anything runs,
            `skip` answers with a failure, `truncate-left` cuts and counts it.
        scoring: `auto` takes the fastest way of scoring that was shown to agree with the plain one on this
            model; `plain` reads each distinct input whole.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        batch_tokens: int | None = None,
        too_long: TooLong = "fail",
        scoring: Scoring = "auto",
    ) -> None:
        if too_long not in TOO_LONG:
            raise unknown_name("policy for long prompts", too_long, TOO_LONG)
        if scoring not in SCORING:
            raise unknown_name("way of scoring", scoring, SCORING)
        if batch_tokens is not None and batch_tokens < 1:
            raise UsageError(f"batch_tokens: expected at least 1, got {batch_tokens}.")
        self.checkpoint = checkpoint
        self.too_long: TooLong = too_long
        self.scoring: Scoring = scoring
        self._limit = batch_tokens
        self._budget = None if batch_tokens is None else Budget(batch_tokens)
        self._plan: ScoringPlan | None = None
        self._choice: PathChoice | None = None
        self._truncated: set[str] = set()
        self._skipped: set[str] = set()
        forget_peak(checkpoint.device)

    @property
    def batch_tokens(self) -> int:
        """Most tokens in a pass now; less than at the start where memory ran out."""
        return self._open_budget().tokens

    def answer(
        self, requests: Sequence[Request], *, done: Collection[str] = ()
    ) -> Iterator[tuple[str, Answer]]:
        """Answers as passes complete; everything is tokenised and measured before this returns.

        Args:
            requests: Everything to be answered; what they share is computed once.
            done: Ids of requests that are answered already: they shape the passes as ever, so that the others
                score bit for bit as without a break, and are not answered again.

        Raises:
            PromptTooLong: At once, if the policy is `fail` and a prompt does not fit.
            UsageError: If two requests share an id.
            CheckpointError: While answering, if the weights cannot be loaded.
        """
        plan = planned(self.checkpoint, requests, too_long=self.too_long)
        self._truncated.update(plan.truncated)
        self._skipped.update(set(plan.too_long) - set(plan.truncated))
        return self._answers(requests, plan, frozenset(done))

    def scoring_plan(self) -> Mapping[str, object] | None:
        """The numbers that shape the passes; None while nothing was scored."""
        return None if self._plan is None else self._plan.to_json()

    def follow(self, scoring_plan: Mapping[str, object]) -> None:
        """Scores under the numbers of a run that was broken off, so that the rest is bit for bit the same."""
        from harness.engine.scoring_plan import ScoringPlan

        self._plan = ScoringPlan.from_json(scoring_plan)
        self._budget = Budget(self._plan.batch_tokens)

    def describe(self) -> dict[str, object]:
        """JSON-able record of what answers and how; counts cover everything answered so far."""
        notes = list(self.checkpoint.warnings)
        if self._choice is not None:
            notes += self._choice.notes
        if self._truncated:
            notes.append(f"{len(self._truncated)} prompts were cut on the left to fit the context.")
        if self._skipped:
            notes.append(f"{len(self._skipped)} prompts did not fit the context and were not asked.")
        halvings = 0 if self._budget is None else self._budget.halvings
        if halvings:
            notes.append(f"Memory ran out {halvings} times; passes hold {self.batch_tokens} tokens now.")
        return {
            "kind": "local",
            **self.checkpoint.describe(),
            "batch_tokens": self.batch_tokens,
            "scoring": self._scoring_facts(),
            "too_long": self.too_long,
            "truncated": len(self._truncated),
            "truncated_ids": sorted(self._truncated),
            "skipped": len(self._skipped),
            "out_of_memory_halvings": halvings,
            "peak_memory_bytes": peak_bytes(self.checkpoint.device),
            "notes": notes,
        }

    def _scoring_facts(self) -> dict[str, object] | None:
        if self._plan is None or self._choice is None:
            return None
        return {**self._plan.to_json(), "probe_nats": dict(self._choice.differences)}

    def _open_budget(self) -> Budget:
        if self._budget is None:
            facts = self.checkpoint
            self._budget = Budget(
                default_batch_tokens(facts.config, facts.identity.n_parameters, facts.device)
            )
        return self._budget

    def _answers(
        self, requests: Sequence[Request], plan: Planned, done: frozenset[str]
    ) -> Iterator[tuple[str, Answer]]:
        yield from ((key, failure) for key, failure in plan.failures.items() if key not in done)
        by_id = {request.request_id: request for request in requests}
        spans = [span for own in plan.spans.values() for span in own]
        if not done.issuperset(plan.spans):
            yield from self._scored(spans, by_id, plan, done)
        waiting = iter([opening for key, opening in plan.openings.items() if key not in done])
        while window := list(islice(waiting, LOOK_AHEAD)):
            yield from self._generated(window, plan)

    def _scored(
        self, spans: Sequence[Span], by_id: dict[str, Request], plan: Planned, done: frozenset[str]
    ) -> Iterator[tuple[str, Answer]]:
        gathered: dict[str, dict[int, Scored]] = {}
        for span, score in self._scorer(spans).scored(spans, done=done):
            own = gathered.setdefault(span.request_id, {})
            own[span.slot] = score
            parts = plan.spans[span.request_id]
            if len(own) == len(parts):
                ordered = [gathered[span.request_id][slot] for slot in range(len(parts))]
                del gathered[span.request_id]
                yield span.request_id, _scored_answer(by_id[span.request_id], ordered, parts, plan)

    def _scorer(self, spans: Sequence[Span]) -> SpanScorer:
        from harness.engine.calibration import scoring_plan_of
        from harness.engine.path_probe import plain_choice
        from harness.engine.span_scorer import SpanScorer

        model = self.checkpoint.model
        if self._choice is None:
            plain = self.scoring == "plain" or (self._plan is not None and self._plan.path == "plain")
            choice = plain_choice(model) if plain else self.checkpoint.scoring_path
            if self._plan is not None and self._plan.path == "batched" and choice.kinds is not None:
                choice = replace(choice, path="batched")
            self._choice = choice
        if self._plan is None:
            lengths = [len(span.read) for span in spans]
            self._plan = scoring_plan_of(
                self.checkpoint,
                self._choice,
                limit=self._limit,
                given_tokens=sum(lengths),
                longest=max(lengths),
            )
        return SpanScorer(model, self._choice, self._plan, self._open_budget())

    def _generated(self, openings: Sequence[Opening], plan: Planned) -> Iterator[tuple[str, Answer]]:
        from harness.engine.generation import Written, samples_of, written

        by_id = {opening.request.request_id: opening for opening in openings}
        gathered: dict[str, dict[int, Written]] = {}
        for text in written(self.checkpoint, openings, self._open_budget(), is_given=self._limit is not None):
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
