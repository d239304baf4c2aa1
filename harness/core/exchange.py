"""Requests to a model and what comes back: the whole interface of a backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from harness.core.digest import digest
from harness.core.items import Role

FinishReason = Literal["eos", "stop", "length", "unknown"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A prompt before any checkpoint's template: the checkpoint renders it.

    With a chat template the messages go through it and an answer starts bare. Without one, `blocks` joins them:
    contents, then `cue`, then `joiner` and the answer.

    Args:
        messages: System first if any, the user's last.
        cue: What invites the answer in plain text, e.g. "Answer:".
        joiner: What stands between cue and answer in plain text: " " or "".
    """

    messages: tuple[Message, ...]
    cue: str = ""
    joiner: str = ""

    @property
    def prompt_id(self) -> str:
        """Digest of the rendered parts; equal prompts have equal ids whatever the checkpoint."""
        messages = [[message.role, message.content] for message in self.messages]
        return digest("prompt/1", messages, self.cue, self.joiner)


PromptLike = Conversation | str  # a str is already rendered and is used as it stands


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How free text is generated. Temperature 0 is greedy."""

    max_tokens: int = 64
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Choose:
    """Log-likelihood of each option as a continuation of the prompt."""

    request_id: str
    prompt: PromptLike
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoreText:
    """Log-likelihood of a whole text, token by token, whatever its length."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Generate:
    """Free text, `n` samples."""

    request_id: str
    prompt: PromptLike
    settings: GenerationSettings = field(default_factory=GenerationSettings)
    n: int = 1


Request = Choose | ScoreText | Generate


@dataclass(frozen=True, slots=True)
class OptionScore:
    """One option: its log-likelihood (natural log), length in tokens, and whether greedy decoding gives it."""

    logprob_nats: float
    tokens: int
    is_greedy: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answer to `Choose`: one score per option, in order."""

    options: tuple[OptionScore, ...]
    prompt_tokens: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TextScored:
    """The answer to `ScoreText`."""

    logprob_nats: float
    tokens: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """One generated text, stop string and end token removed.

    Args:
        text: What was written.
        finish_reason: Why it ended.
        tokens: How many were written, end token and stop string included.
        first_token_seconds: From the moment its prompt was first read to its first token; None if not measured.
        seconds_per_token: Between its later tokens, beside others in the batch; None if there are none.
    """

    text: str
    finish_reason: FinishReason
    tokens: int
    first_token_seconds: float | None = field(default=None, compare=False)
    seconds_per_token: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Generated:
    """The answer to `Generate`: `n` generations."""

    generations: tuple[Generation, ...]
    prompt_tokens: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BackendFailure:
    """The system could not answer this request; the item's score is missing, never wrong.

    Args:
        kind: nan_logits, prompt_too_long, out_of_memory, server, timeout ...
        message: For people.
    """

    kind: str
    message: str


Response = Chosen | TextScored | Generated
Answer = Response | BackendFailure


class Backend(Protocol):
    """Whatever answers requests."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """All requests at once; answers as they complete, each request id exactly once."""
        ...

    def describe(self) -> dict[str, object]:
        """JSON-able record of what answers: kind, checkpoint digest, dtype, device, template ..."""
        ...
