"""Responses to and from a few bytes, exactly: for the response cache, where there are millions.

One byte says which kind follows, numbers are little-endian, and long text is deflated. The layout belongs to
`response_cache.SCHEMA`: change both together.
"""

from __future__ import annotations

import struct
import zlib
from typing import assert_never

from harness.core.errors import StoreError
from harness.core.exchange import (
    Chosen,
    FinishReason,
    Generated,
    Generation,
    OptionScore,
    Response,
    TextScored,
)

_REASONS: tuple[FinishReason, ...] = ("eos", "stop", "length", "unknown")
_OPTION = struct.Struct("<dq?")  # log-probability, tokens, greedy
_TEXT_SCORED = struct.Struct("<dq")
_GENERATION = struct.Struct("<Bqq")  # finish reason, tokens, bytes of text
_COUNT = struct.Struct("<q")
_CHOSEN, _SCORED, _GENERATED, _DEFLATED = b"C", b"S", b"G", b"Z"
_WORTH_DEFLATING = 128  # bytes; shorter ones hardly shrink


def response_to_bytes(response: Response) -> bytes:
    """A response without its `seconds`, which belong to the run that measured them.

    Example:
        >>> len(response_to_bytes(Chosen((OptionScore(-1.5, 2),), prompt_tokens=9, seconds=0.1)))
        26
    """
    match response:
        case Chosen():
            options = b"".join(
                _OPTION.pack(option.logprob_nats, option.tokens, option.is_greedy)
                for option in response.options
            )
            return _CHOSEN + _COUNT.pack(response.prompt_tokens) + options
        case TextScored():
            return _SCORED + _TEXT_SCORED.pack(response.logprob_nats, response.tokens)
        case Generated():
            return _shortened(_generated_to_bytes(response))
        case _:
            assert_never(response)


def response_from_bytes(data: bytes) -> Response:
    """The reverse of `response_to_bytes`; `seconds` is None.

    Raises:
        StoreError: If the bytes are no response.

    Example:
        >>> response_from_bytes(response_to_bytes(TextScored(-3.5, 4, seconds=1.0)))
        TextScored(logprob_nats=-3.5, tokens=4, seconds=None)
    """
    try:
        kind, body = data[:1], data[1:]
        if kind == _DEFLATED:
            data = zlib.decompress(body)
            kind, body = data[:1], data[1:]
        if kind == _CHOSEN:
            options = tuple(OptionScore(*fields) for fields in _OPTION.iter_unpack(body[_COUNT.size :]))
            return Chosen(options, _COUNT.unpack_from(body)[0])
        if kind == _SCORED:
            return TextScored(*_TEXT_SCORED.unpack(body))
        if kind == _GENERATED:
            return _generated_from_bytes(body)
    except (struct.error, zlib.error, UnicodeDecodeError, IndexError) as exc:
        raise StoreError(f"A stored response of {len(data)} bytes cannot be read: {exc}.") from exc
    raise StoreError(
        f"A stored response of {len(data)} bytes begins with {kind!r}, which is no kind of answer."
    )


def _generated_to_bytes(response: Generated) -> bytes:
    parts = [_GENERATED, _COUNT.pack(response.prompt_tokens)]
    for generation in response.generations:
        # A model's bytes may decode to lone surrogates.
        text = generation.text.encode("utf-8", "surrogatepass")
        reason = _REASONS.index(generation.finish_reason)
        parts += [_GENERATION.pack(reason, generation.tokens, len(text)), text]
    return b"".join(parts)


def _generated_from_bytes(body: bytes) -> Generated:
    generations = []
    place = _COUNT.size
    while place < len(body):
        reason, tokens, length = _GENERATION.unpack_from(body, place)
        place += _GENERATION.size
        text = body[place : place + length].decode("utf-8", "surrogatepass")
        generations.append(Generation(text, _REASONS[reason], tokens))
        place += length
    return Generated(tuple(generations), _COUNT.unpack_from(body)[0])


def _shortened(data: bytes) -> bytes:
    if len(data) < _WORTH_DEFLATING:
        return data
    deflated = _DEFLATED + zlib.compress(data, 6)
    return deflated if len(deflated) < len(data) else data
