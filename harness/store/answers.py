"""Answers to and from JSON, exactly: floats bit for bit, infinities, and text that is not valid Unicode."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any, assert_never

from harness.core.errors import StoreError
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Chosen,
    Generated,
    Generation,
    OptionScore,
    TextScored,
)

Json = dict[str, Any]

# A second attempt may succeed: the system was busy or full, and the request itself is sound.
TRANSIENT_FAILURES = frozenset({"server", "timeout", "rate_limited", "out_of_memory"})


def is_transient(answer: Answer) -> bool:
    """Whether an answer is a failure that asking again may mend.

    Example:
        >>> is_transient(BackendFailure("timeout", "no answer in 60 s"))
        True
        >>> is_transient(BackendFailure("prompt_too_long", "9000 tokens, at most 8192"))
        False
    """
    return isinstance(answer, BackendFailure) and answer.kind in TRANSIENT_FAILURES


def answer_to_json(answer: Answer) -> Json:
    """An answer as JSON that `answer_from_json` reads back equal.

    JSON has no infinities: they become "inf", "-inf" and "nan". Text with lone surrogates becomes base64.

    Example:
        >>> answer_to_json(TextScored(float("-inf"), 3))
        {'kind': 'text_scored', 'logprob_nats': '-inf', 'tokens': 3, 'seconds': None}
    """
    match answer:
        case Chosen():
            options = [
                [_number_to_json(option.logprob_nats), int(option.tokens), bool(option.is_greedy)]
                for option in answer.options
            ]
            return {
                "kind": "chosen",
                "options": options,
                "prompt_tokens": int(answer.prompt_tokens),
                "seconds": _seconds_to_json(answer.seconds),
            }
        case TextScored():
            return {
                "kind": "text_scored",
                "logprob_nats": _number_to_json(answer.logprob_nats),
                "tokens": int(answer.tokens),
                "seconds": _seconds_to_json(answer.seconds),
            }
        case Generated():
            generations = [
                [_text_to_json(generation.text), generation.finish_reason, int(generation.tokens)]
                for generation in answer.generations
            ]
            return {
                "kind": "generated",
                "generations": generations,
                "prompt_tokens": int(answer.prompt_tokens),
                "seconds": _seconds_to_json(answer.seconds),
            }
        case BackendFailure():
            return {
                "kind": "failed",
                "failure": _text_to_json(answer.kind),
                "message": _text_to_json(answer.message),
            }
        case _:
            assert_never(answer)


def answer_from_json(record: Mapping[str, Any]) -> Answer:
    """The reverse of `answer_to_json`.

    Raises:
        StoreError: If the kind of answer is unknown, as in a journal of a newer version.
    """
    kind = record["kind"]
    if kind == "chosen":
        options = tuple(
            OptionScore(_number_from_json(logprob), tokens, greedy)
            for logprob, tokens, greedy in record["options"]
        )
        return Chosen(options, record["prompt_tokens"], _seconds_from_json(record["seconds"]))
    if kind == "text_scored":
        logprob_nats = _number_from_json(record["logprob_nats"])
        return TextScored(logprob_nats, record["tokens"], _seconds_from_json(record["seconds"]))
    if kind == "generated":
        generations = tuple(
            Generation(_text_from_json(text), finish_reason, tokens)
            for text, finish_reason, tokens in record["generations"]
        )
        return Generated(generations, record["prompt_tokens"], _seconds_from_json(record["seconds"]))
    if kind == "failed":
        return BackendFailure(_text_from_json(record["failure"]), _text_from_json(record["message"]))
    raise StoreError(
        f"An answer of kind '{kind}' is not known here; a newer version of the harness wrote it: upgrade."
    )


def _number_to_json(value: float) -> float | str:
    value = float(value)  # a numpy scalar too; Python writes the shortest text that reads back the same
    if math.isfinite(value):
        return value
    return repr(value)


def _number_from_json(value: float | str) -> float:
    return float(value)


def _seconds_to_json(value: float | None) -> float | str | None:
    return None if value is None else _number_to_json(value)


def _seconds_from_json(value: float | str | None) -> float | None:
    return None if value is None else _number_from_json(value)


def _text_to_json(text: str) -> str | Json:
    """The text itself, or its bytes: JSON would join two lone surrogates into one character."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return {"base64": base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")}
    return text


def _text_from_json(value: str | Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    return base64.b64decode(value["base64"]).decode("utf-8", "surrogatepass")
