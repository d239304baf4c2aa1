"""A text while it is written, and what is handed on when it is done."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.core.exchange import (
    BackendFailure,
    FinishReason,
    Generate,
    Generation,
    GenerationSettings,
)
from harness.engine.planning import Opening


@dataclass(slots=True)
class Writing:
    """One text while it is written.

    Args:
        opening: What is continued.
        sample: Which of the request's texts, from 0.
        tokens: Written so far.
        seconds: Its share of the time of the batches it was in.
        began: When its prompt was first read.
        first: When its first token was known.
        newest: When its newest token was known.
        n_shared: Tokens of the prompt that it shares with texts written beside it.
    """

    opening: Opening
    sample: int
    tokens: list[int] = field(default_factory=list)
    finish: FinishReason | None = None
    failure: BackendFailure | None = None
    seconds: float = 0.0
    began: float | None = None
    first: float | None = None
    newest: float | None = None
    n_shared: int = 0

    @property
    def request_id(self) -> str:
        """Whose text it is."""
        return self.opening.request.request_id

    @property
    def is_done(self) -> bool:
        """Whether no more is written."""
        return self.finish is not None or self.failure is not None

    def again(self) -> Writing:
        """The same text from its beginning, where memory ran out in the middle."""
        return Writing(
            self.opening, self.sample, seconds=self.seconds, began=self.began, n_shared=self.n_shared
        )


@dataclass(frozen=True, slots=True)
class Written:
    """One finished text of a request, with its share of the batch's time."""

    request_id: str
    sample: int
    result: Generation | BackendFailure
    seconds: float


def renamed(text: Written, twin: Writing) -> Generation | BackendFailure:
    """A finished text as the result of another request that asked for the same."""
    if isinstance(text.result, Generation):
        return text.result
    message = text.result.message.removeprefix(f"Request {text.request_id}")
    return BackendFailure(text.result.kind, f"Request {twin.request_id}{message}")


def samples_of(opening: Opening) -> int:
    """How many texts must be written: greedy samples are all alike, so one is enough."""
    return 1 if opening.request.settings.temperature <= 0 else opening.request.n


def writings_of(openings: Sequence[Opening]) -> list[Writing]:
    """Every text that has to be written."""
    return [Writing(opening, sample) for opening in openings for sample in range(samples_of(opening))]


def probe_writing(sample: int, tokens: Sequence[int], *, n_given: int) -> Writing:
    """A text made of known tokens, of which the first `n_given` are its prompt and the next one is written."""
    settings = GenerationSettings(max_tokens=len(tokens) - n_given)
    opening = Opening(Generate("probe", "", settings), array("i", tokens[:n_given]), settings.max_tokens)
    return Writing(opening, sample, [tokens[n_given]])


def not_a_number(writing: Writing) -> BackendFailure:
    """The failure of a text whose next token cannot be told."""
    return BackendFailure(
        "nan_logits",
        f"Request {writing.request_id}: the model's logits are not a number at token {len(writing.tokens)}; "
        "its weights or its number format are at fault.",
    )


def does_not_fit(writing: Writing) -> BackendFailure:
    """The failure of a text that runs out of memory even alone."""
    n_tokens = len(writing.opening.tokens) + writing.opening.limit
    return BackendFailure(
        "out_of_memory", f"Request {writing.request_id}: {n_tokens} tokens do not fit the memory even alone."
    )
