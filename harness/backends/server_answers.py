"""What an OpenAI-compatible server sent, as log-probabilities and texts; where something is missing, a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.exchange import BackendFailure, FinishReason, Generation, OptionScore

NO_LOGPROBS = "no_logprobs"
REMAINING = (
    "Suites whose answers are text still work: short_answer, extraction, free_text, conversation, and "
    "multiple_choice or classification with `read: {by: generation}`."
)


def scored_part(
    reply: Mapping[str, Any], *, start: int | None, end: int | None, place: str
) -> OptionScore | BackendFailure:
    """The score of the prompt's tokens from `start` up to `end`, from an echoed completion.

    Args:
        reply: The server's answer to a prompt with `echo` and `logprobs`.
        start: How many tokens stand before the scored ones.
        end: Tokens of the whole prompt; None: what the server says it read.
        place: Which request, for messages.
    """
    choice = _only_choice(reply)
    logprobs = None if choice is None else choice.get("logprobs")
    if not isinstance(logprobs, Mapping) or not isinstance(logprobs.get("token_logprobs"), list):
        return BackendFailure(
            NO_LOGPROBS,
            f"{place}: the server gives no log-probabilities of the prompt (completions with echo), so options and "
            f"texts cannot be scored. {REMAINING}",
        )
    values: list[Any] = logprobs["token_logprobs"]
    end = prompt_tokens(reply) if end is None else end
    if start is None or end is None:
        return BackendFailure(
            "server",
            f"{place}: the server does not say how many tokens a prompt has (`usage`), so where an option begins is "
            "unknown; name the model's tokenizer: --backend-args tokenizer=FOLDER.",
        )
    own = values[start:end]
    if end <= start:
        return BackendFailure("nothing_to_score", f"{place}: an option has no token of its own to score.")
    if len(own) != end - start or not all(_is_logprob(value) for value in own):
        return BackendFailure(
            "server",
            f"{place}: expected {end - start} log-probabilities from token {start} of {len(values)}, got {own[:4]!r}.",
        )
    tops = logprobs.get("top_logprobs")
    greedy = _greedy(own, tops[start:end] if isinstance(tops, list) else [])
    if greedy is None:
        return BackendFailure(
            "server", f"{place}: the server gives no likeliest tokens (`top_logprobs`) for the prompt."
        )
    return OptionScore(math.fsum(own), len(own), greedy)


def prompt_tokens(reply: Mapping[str, Any]) -> int | None:
    """How many tokens the server read, as far as it says."""
    return _count(reply, "prompt_tokens")


def generation_of(
    reply: Mapping[str, Any], *, stops: Sequence[str], is_chat: bool, place: str
) -> Generation | BackendFailure:
    """The generated text, cut at the first stop string: servers take four of them at most, some keep them."""
    choice = _only_choice(reply)
    if choice is None:
        return BackendFailure("server", f"{place}: expected one choice, got {str(reply)[:80]!r}.")
    text = choice.get("text")
    if is_chat:
        message = choice.get("message")
        text = message.get("content") if isinstance(message, Mapping) else ()
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        return BackendFailure("content_filter", f"{place}: the server withheld the answer (content filter).")
    if text is None and reason in ("length", "stop"):
        text = ""  # the model wrote nothing but its thinking; that is its answer
    if not isinstance(text, str):
        return BackendFailure("server", f"{place}: expected a text, got {str(text)[:80]!r}.")
    cut = min((found for stop in stops if stop and (found := text.find(stop)) >= 0), default=None)
    finish = _finish(choice, has_stops=bool(stops))
    tokens = _count(reply, "completion_tokens") or 0
    return Generation(text, finish, tokens) if cut is None else Generation(text[:cut], "stop", tokens)


def _only_choice(reply: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = reply.get("choices")
    is_one = isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], Mapping)
    return choices[0] if is_one and choices is not None else None


def _finish(choice: Mapping[str, Any], *, has_stops: bool) -> FinishReason:
    reason = choice.get("finish_reason")
    if reason == "length":
        return "length"
    if reason != "stop":
        return "unknown"
    if "stop_reason" in choice:  # vLLM and SGLang say which stop string it was
        return "stop" if isinstance(choice["stop_reason"], str) else "eos"
    return "unknown" if has_stops else "eos"


def _count(reply: Mapping[str, Any], name: str) -> int | None:
    usage = reply.get("usage")
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_logprob(value: object) -> bool:
    # Sums of rounded terms may end a hair above zero.
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value < 1e-3
    )


def _greedy(own: Sequence[float], tops: Sequence[Any]) -> bool | None:
    """Whether each token is the likeliest, as lm-eval reads it from the listed ones; None where none are listed."""
    if len(tops) != len(own):
        return None
    for value, top in zip(own, tops, strict=True):
        listed = [one for one in top.values() if _is_logprob(one)] if isinstance(top, Mapping) else []
        if not listed:
            return None
        if value < max(listed):
            return False
    return True
