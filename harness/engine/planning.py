"""Requests to token sequences; prompts that do not fit the context are dealt with before anything runs."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

from harness.core.errors import PromptTooLong, UsageError
from harness.core.exchange import BackendFailure, Choose, Generate, Request, ScoreText
from harness.engine.checkpoint import Checkpoint
from harness.engine.tokens import encoded, encoded_pairs, rolling_windows

# `lm-eval` cuts on the left as it does: a prompt also leaves room for every new token asked for.
TooLong = Literal["fail", "skip", "truncate-left", "lm-eval"]
TOO_LONG: tuple[TooLong, ...] = ("fail", "skip", "truncate-left", "lm-eval")
_LISTED = 5
_TOGETHER = 4096  # requests tokenised in one call: lists of ids are ten times as large as arrays


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens to be scored: the model reads `read`, whose last outputs predict `wanted`.

    Args:
        request_id: Whose.
        slot: Which option, or which window of a long text.
        read: The model's input.
        wanted: The tokens predicted by the last `len(wanted)` positions of `read`.
    """

    request_id: str
    slot: int
    read: array[int]
    wanted: array[int]


@dataclass(frozen=True, slots=True)
class Opening:
    """A prompt to be continued: the request and its tokens, cut to the context where the policy says so."""

    request: Generate
    tokens: array[int]
    limit: int


@dataclass(slots=True)
class Planned:
    """What is to be run, and what cannot be.

    Args:
        spans: Per scoring request, its spans in order.
        openings: Per generating request, its prompt.
        prompt_tokens: Per request, tokens of its prompt.
        failures: Requests that cannot be asked, with the reason.
        truncated: Ids of the requests that lost tokens on the left.
        too_long: Ids of the requests that do not fit, with their lengths.
    """

    spans: dict[str, list[Span]] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    prompt_tokens: dict[str, int] = field(default_factory=dict)
    failures: dict[str, BackendFailure] = field(default_factory=dict)
    truncated: list[str] = field(default_factory=list)
    too_long: dict[str, int] = field(default_factory=dict)


def planned(checkpoint: Checkpoint, requests: Sequence[Request], *, too_long: TooLong) -> Planned:
    """Everything tokenised and measured.

    Raises:
        PromptTooLong: If the policy is `fail` and some do not fit, listing how many and the first ids.
        UsageError: If two requests share an id.
    """
    plan = Planned()
    seen: set[str] = set()
    for request in requests:
        if request.request_id in seen:
            raise UsageError(f"Two requests have the id '{request.request_id}'; ids must be unique.")
        seen.add(request.request_id)
    for start in range(0, len(requests), _TOGETHER):
        part = requests[start : start + _TOGETHER]
        _plan_choices(plan, checkpoint, [one for one in part if isinstance(one, Choose)], too_long)
        _plan_texts(plan, checkpoint, [one for one in part if isinstance(one, ScoreText)])
        _plan_openings(plan, checkpoint, [one for one in part if isinstance(one, Generate)], too_long)
    if plan.too_long and too_long == "fail":
        raise PromptTooLong(_too_long_message(plan.too_long, len(requests), checkpoint.max_tokens))
    return plan


def _plan_choices(
    plan: Planned, checkpoint: Checkpoint, requests: Sequence[Choose], too_long: TooLong
) -> None:
    contexts = [checkpoint.render(request.prompt) for request in requests]
    joiners = [checkpoint.joiner(request.prompt) for request in requests]
    texts = [
        (context, joiner + option)
        for request, context, joiner in zip(requests, contexts, joiners, strict=True)
        for option in request.options
    ]
    pairs = iter(encoded_pairs(checkpoint.tokenizer, texts))
    for request in requests:
        own = [next(pairs) for _ in request.options]
        plan.prompt_tokens[request.request_id] = len(own[0][0]) if own else 0
        empty = next((index for index, (before, after) in enumerate(own) if not before or not after), None)
        if not own or empty is not None:
            plan.failures[request.request_id] = BackendFailure(
                "nothing_to_score",
                f"Request {request.request_id}: "
                + ("it has no options." if not own else f"option {empty} has no token of its own to score."),
            )
            continue
        _plan_choice(plan, request, own, checkpoint.max_tokens, too_long)


def _plan_choice(
    plan: Planned, request: Choose, pairs: list[tuple[list[int], list[int]]], limit: int, too_long: TooLong
) -> None:
    longest = max(len(before) + len(after) - 1 for before, after in pairs)
    if longest > limit:
        widest = max(len(after) for _, after in pairs)
        if not _is_cut(plan, request.request_id, longest, limit, too_long, room=widest <= limit):
            return
    plan.spans[request.request_id] = [
        Span(request.request_id, slot, array("i", [*before, *after][:-1][-limit:]), array("i", after))
        for slot, (before, after) in enumerate(pairs)
    ]


def _plan_texts(plan: Planned, checkpoint: Checkpoint, requests: Sequence[ScoreText]) -> None:
    ids = encoded(checkpoint.tokenizer, [request.text for request in requests])
    for request, tokens in zip(requests, ids, strict=True):
        windows = rolling_windows(tokens, checkpoint.prefix_token, checkpoint.max_tokens)
        spans = [
            Span(request.request_id, slot, array("i", read), array("i", wanted))
            for slot, (read, wanted) in enumerate(windows)
        ]
        if spans:
            plan.spans[request.request_id] = spans
        else:
            plan.failures[request.request_id] = BackendFailure(
                "nothing_to_score", f"Request {request.request_id}: the text has no token to score."
            )


def _plan_openings(
    plan: Planned, checkpoint: Checkpoint, requests: Sequence[Generate], too_long: TooLong
) -> None:
    ids = encoded(checkpoint.tokenizer, [checkpoint.render(request.prompt) for request in requests])
    for request, tokens in zip(requests, ids, strict=True):
        if not tokens and checkpoint.prefix_token is not None:
            tokens = [checkpoint.prefix_token]
        plan.prompt_tokens[request.request_id] = len(tokens)
        if not tokens or request.settings.max_tokens < 1 or request.n < 1:
            plan.failures[request.request_id] = BackendFailure(
                "nothing_to_generate",
                f"Request {request.request_id}: expected a prompt of at least one token, max_tokens >= 1 and "
                f"n >= 1, got {len(tokens)}, {request.settings.max_tokens} and {request.n}.",
            )
            continue
        # For at least one new token, or for all of them.
        room = checkpoint.max_tokens - (request.settings.max_tokens if too_long == "lm-eval" else 1)
        if len(tokens) > room:
            if not _is_cut(
                plan, request.request_id, len(tokens) + 1, checkpoint.max_tokens, too_long, room=room > 0
            ):
                continue
            tokens = tokens[-max(1, checkpoint.max_tokens - request.settings.max_tokens) :]
        limit = min(request.settings.max_tokens, checkpoint.max_tokens - len(tokens))
        plan.openings[request.request_id] = Opening(request, array("i", tokens), limit)


def _is_cut(
    plan: Planned, request_id: str, length: int, limit: int, too_long: TooLong, *, room: bool
) -> bool:
    """Whether a request that is too long goes on, cut on the left; notes what became of it."""
    plan.too_long[request_id] = length
    if too_long == "fail":
        return False
    if too_long in ("truncate-left", "lm-eval") and room:
        plan.truncated.append(request_id)
        return True
    if too_long == "skip" or too_long == "truncate-left" or too_long == "lm-eval":
        plan.failures[request_id] = BackendFailure(
            "prompt_too_long", f"Request {request_id} needs {length} tokens; the context holds {limit}."
        )
        return False
    assert_never(too_long)


def _too_long_message(too_long: dict[str, int], n_requests: int, limit: int) -> str:
    first = ", ".join(f"{request_id} ({length})" for request_id, length in list(too_long.items())[:_LISTED])
    more = f" and {len(too_long) - _LISTED} more" if len(too_long) > _LISTED else ""
    return (
        f"{len(too_long)} of {n_requests} requests do not fit the context of {limit} tokens: {first}{more}. "
        "Shorten them, or choose --too-long skip (counted as failed) or --too-long truncate-left (cut "
        "and counted)."
    )
