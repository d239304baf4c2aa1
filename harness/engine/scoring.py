"""Log-likelihoods of token spans, in padded batches, longest first, each distinct input read once."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from harness.core.exchange import BackendFailure
from harness.engine.forward import on_device, read_tokens
from harness.engine.memory import Budget, in_halves, packed
from harness.engine.planning import Span


@dataclass(frozen=True, slots=True)
class Row:
    """One input to the model and every span that is read from it, such as one-token options of one prompt."""

    read: array[int]
    spans: tuple[Span, ...]

    @property
    def n_scored(self) -> int:
        """How many of the last positions are looked at."""
        return max(len(span.wanted) for span in self.spans)


@dataclass(frozen=True, slots=True)
class SpanScore:
    """Natural log of a span's probability, and whether greedy decoding writes it."""

    logprob_nats: float
    is_greedy: bool
    seconds: float


Scored = SpanScore | BackendFailure


def rows_of(spans: Sequence[Span]) -> list[Row]:
    """Spans with equal input share a row; longest rows first, so that memory runs out at once if ever."""
    groups: dict[bytes, list[Span]] = {}
    for span in spans:
        groups.setdefault(span.read.tobytes(), []).append(span)
    rows = [Row(group[0].read, tuple(group)) for group in groups.values()]
    return sorted(rows, key=lambda row: (-len(row.read), row.read.tobytes()))


def padded_tokens(rows: Sequence[Row]) -> int:
    """Tokens a batch of rows takes, padding included."""
    return len(rows) * max(len(row.read) for row in rows)


def scored(
    model: Any, spans: Sequence[Span], budget: Budget, *, head_apart: bool, done: Collection[str] = ()
) -> Iterator[tuple[Span, Scored]]:
    """Each span's score as its batch is done.

    Args:
        model: A causal language model in evaluation mode.
        spans: What to score.
        budget: Shrinks where memory runs out.
        head_apart: Whether the head may be applied to chosen positions only (`forward.has_head_apart`).
        done: Ids of requests whose scores are known: they shape the batches as ever, but are not scored.
    """

    def answer(rows: list[Row]) -> list[list[SpanScore]]:
        return _scores_of(model, rows, head_apart=head_apart)

    for batch in packed(rows_of(spans), budget, size=padded_tokens):
        if done and all(span.request_id in done for row in batch for span in row.spans):
            continue
        for part, results in in_halves(batch, answer, budget, size=padded_tokens):
            for index, row in enumerate(part):
                for place, span in enumerate(row.spans):
                    if span.request_id in done:
                        continue
                    if results is None:
                        yield span, does_not_fit(span)
                    else:
                        yield span, checked(span, results[index][place])


def _scores_of(model: Any, rows: list[Row], *, head_apart: bool) -> list[list[SpanScore]]:
    """Scores of one batch, per row and span."""
    import torch

    started = perf_counter()
    width = max(len(row.read) for row in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row.read)] = row.read
    places, picks, tokens = _places(rows, width)
    with torch.inference_mode():
        found = read_tokens(
            model,
            {"input_ids": on_device(ids, model.device)},
            np.array(places),
            np.array(picks),
            np.array(tokens),
            head_apart=head_apart,
        )
    values, hits = found[0].tolist(), (found[1] > 0).tolist()
    seconds = (perf_counter() - started) / sum(len(row.spans) for row in rows)
    results, done = [], 0
    for row in rows:
        own = []
        for span in row.spans:
            stop = done + len(span.wanted)
            own.append(SpanScore(math.fsum(values[done:stop]), all(hits[done:stop]), seconds))
            done = stop
        results.append(own)
    return results


def _places(rows: list[Row], width: int) -> tuple[list[int], list[int], list[int]]:
    """Flat positions looked at, and per wanted token: which of those positions, and the token.

    Rows are padded on the right: a causal model never looks there, so no mask is needed.
    """
    places: list[int] = []
    picks: list[int] = []
    tokens: list[int] = []
    for index, row in enumerate(rows):
        end = index * width + len(row.read)
        places.extend(range(end - row.n_scored, end))
        for span in row.spans:
            picks.extend(range(len(places) - len(span.wanted), len(places)))
            tokens.extend(span.wanted)
    return places, picks, tokens


def checked(span: Span, score: SpanScore) -> Scored:
    """The score, or the failure of a span whose logits are not finite."""
    if math.isfinite(score.logprob_nats):
        return score
    return BackendFailure(
        "nan_logits",
        f"Request {span.request_id}: the model's logits are not finite ({score.logprob_nats}); its "
        "weights or its "
        "number format are at fault.",
    )


def does_not_fit(span: Span) -> BackendFailure:
    """The failure of a span that alone is too much for the memory."""
    return BackendFailure(
        "out_of_memory",
        f"Request {span.request_id}: {len(span.read)} tokens do not fit the memory even alone.",
    )
