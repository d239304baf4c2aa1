"""Where a text being written ends: end tokens, stop strings, the limit; the tail is decoded only when needed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING

from harness.core.exchange import BackendFailure, Generation
from harness.engine.checkpoint import Checkpoint
from harness.engine.writing import Writing, Written, not_a_number

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_TAIL_TOKENS = 8  # beyond the stop string's own bytes: word starts and split characters
_BROKEN = "�"  # what part of a character's bytes decodes to


class Endings:
    """Decides after each token whether its text ends there, and cuts finished texts.

    A stop string can only be completed by a token that brings its last character, or part of that character's
    bytes; every token is decoded once to know what it brings, and the tail of a text only after such a token.

    Args:
        checkpoint: Its tokenizer and end tokens.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._tokenizer = checkpoint.tokenizer
        self._ends = frozenset(checkpoint.end_tokens)
        self._added = {str(token): index for index, token in self._tokenizer.added_tokens_decoder.items()}
        self._brings: dict[int, str] = {}
        self._stops: dict[tuple[str, ...], tuple[frozenset[int], frozenset[str], int]] = {}
        self._anchor = _anchor(self._tokenizer)

    def take(self, writing: Writing, token: int) -> None:
        """Appends a token to a text, and notes whether the text is done with it."""
        now = perf_counter()
        writing.first = now if writing.first is None else writing.first
        writing.newest = now
        writing.tokens.append(token)
        if token in self._ends:
            writing.finish = "eos"
        elif self._is_stopped(writing, token):
            writing.finish = "stop"
        elif len(writing.tokens) >= writing.opening.limit:
            writing.finish = "length"

    def result(self, writing: Writing) -> Written:
        """The finished text without its end token, cut before its first stop string."""
        result: Generation | BackendFailure
        if writing.failure is not None or writing.finish is None:
            result = writing.failure or not_a_number(writing)
        else:
            result = self._generation(writing)
        return Written(writing.request_id, writing.sample, result, writing.seconds)

    def _generation(self, writing: Writing) -> Generation:
        assert writing.finish is not None
        stops = writing.opening.request.settings.stop
        kept = writing.tokens
        if kept and (kept[-1] in self._ends or kept[-1] in self._facts(stops)[0]):
            kept = kept[:-1]
        text = self._decoded(kept)
        places = [text.find(stop) for stop in stops if stop and stop in text]
        waited = each = None
        if writing.began is not None and writing.first is not None and writing.newest is not None:
            waited = writing.first - writing.began
            n_later = len(writing.tokens) - 1
            each = (writing.newest - writing.first) / n_later if n_later else None
        return Generation(
            text[: min(places)] if places else text,
            writing.finish,
            len(writing.tokens),
            first_token_seconds=waited,
            seconds_per_token=each,
        )

    def _is_stopped(self, writing: Writing, token: int) -> bool:
        stops = writing.opening.request.settings.stop
        if not stops:
            return False
        special, lasts, reach = self._facts(stops)
        if token in special:
            return True
        if not self._may_complete(token, lasts):
            return False
        # Tokens that bring no text, such as special ones in the middle, do not use up the reach.
        start = len(writing.tokens)
        while start and reach:
            start -= 1
            reach -= bool(self._brought(writing.tokens[start]))
        tail = self._decoded(writing.tokens[start:])
        if not any(stop and stop in tail for stop in stops):
            return False
        whole = self._decoded(writing.tokens)
        return any(stop and stop in whole for stop in stops)

    def _facts(self, stops: tuple[str, ...]) -> tuple[frozenset[int], frozenset[str], int]:
        """Stop strings that are tokens of their own (decoding drops them), last characters, tokens to look at."""
        if stops not in self._stops:
            texts = [text for text in stops if text]
            self._stops[stops] = (
                frozenset(self._added[text] for text in texts if text in self._added),
                frozenset(text[-1] for text in texts),
                max((len(text.encode("utf-8")) for text in texts), default=0) + _TAIL_TOKENS,
            )
        return self._stops[stops]

    def _may_complete(self, token: int, lasts: frozenset[str]) -> bool:
        brought = self._brought(token)
        return _BROKEN in brought or any(character in brought for character in lasts)

    def _brought(self, token: int) -> str:
        """What a token adds to a text, at its start or later, where a word may bring a space before it."""
        if token not in self._brings:
            alone = self._decoded([token])
            later = self._decoded([*self._anchor, token])
            before = self._decoded(self._anchor)
            self._brings[token] = alone + (later[len(before) :] if later.startswith(before) else later)
        return self._brings[token]

    def _decoded(self, tokens: Sequence[int]) -> str:
        text = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(text)


def _anchor(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """A token that writes something, to stand before another one, which is then decoded as in mid-text."""
    special = set(tokenizer.all_special_ids)
    tokens = (token for token in range(len(tokenizer)) if token not in special)
    return list(islice((token for token in tokens if str(tokenizer.decode([token])).strip()), 1))
