"""Prompts as a server takes them: as messages, as text, or as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.core.exchange import BackendFailure, PromptLike
from harness.prompting.render import plain_text

Sent = str | list[int]


@dataclass(frozen=True, slots=True)
class Pairs:
    """A prompt with each of its options.

    Args:
        before: The prompt alone, as it is sent to learn its length.
        wholes: Prompt and option together.
        before_tokens: Per option how many tokens of its whole are the prompt's; None: only the server knows.
    """

    before: Sent
    wholes: tuple[Sent, ...]
    before_tokens: tuple[int, ...] | None = None


class ServerPrompts(Protocol):
    """How prompts are put to a server."""

    @property
    def identity(self) -> object:
        """What answers depend on, JSON-able: tokenizer and template by digest."""
        ...

    def template_facts(self) -> dict[str, object]:
        """The template as it is applied here, for the manifest."""
        ...

    def messages(self, prompt: PromptLike) -> list[dict[str, str]]:
        """The prompt as a chat."""
        ...

    def opening(self, prompt: PromptLike) -> Sent:
        """The prompt to be continued."""
        ...

    def pairs(self, prompt: PromptLike, options: Sequence[str]) -> Pairs | BackendFailure:
        """The prompt with each option."""
        ...

    def windows(self, text: str, max_length: int | None) -> list[tuple[list[int], int]] | BackendFailure:
        """(tokens, how many of them are only context) that together score each token of a text once."""
        ...


class PlainPrompts:
    """Prompts as text: the server's tokenizer reads them, and only it knows where a prompt ends."""

    @property
    def identity(self) -> object:
        return None

    def template_facts(self) -> dict[str, object]:
        return {"kind": "plain", "digest": None}

    def messages(self, prompt: PromptLike) -> list[dict[str, str]]:
        """Messages as they are; a rendered text is one message of the user's.

        Example:
            >>> PlainPrompts().messages("Hi")
            [{'role': 'user', 'content': 'Hi'}]
        """
        if isinstance(prompt, str):
            return [{"role": "user", "content": prompt}]
        return [{"role": message.role, "content": message.content} for message in prompt.messages]

    def opening(self, prompt: PromptLike) -> Sent:
        return prompt if isinstance(prompt, str) else plain_text(prompt)

    def pairs(self, prompt: PromptLike, options: Sequence[str]) -> Pairs | BackendFailure:
        """Spaces at the prompt's end go with the option, as in lm-eval."""
        text = str(self.opening(prompt))
        joiner = "" if isinstance(prompt, str) else prompt.joiner
        kept = text.rstrip()
        if not kept:
            return BackendFailure(
                "server",
                "An option without a prompt before it can be scored only with the model's tokenizer, which says what "
                "token begins a text: --backend-args tokenizer=FOLDER.",
            )
        return Pairs(kept, tuple(text + joiner + option for option in options))

    def windows(self, text: str, max_length: int | None) -> list[tuple[list[int], int]] | BackendFailure:
        return BackendFailure(
            "server",
            "the likelihood of a text needs the model's tokenizer, which says what token begins a text: "
            "--backend-args tokenizer=FOLDER.",
        )
