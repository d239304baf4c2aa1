"""Prompts as token ids by the model's own tokenizer, with lm-eval's rules, as the engine makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.backends.server_prompts import Pairs, PlainPrompts, Sent
from harness.core.digest import digest
from harness.core.errors import CheckpointError, UsageError
from harness.core.exchange import BackendFailure, PromptLike
from harness.engine.templates import CLOCK, ChatTemplate, chat_template_of
from harness.engine.tokens import encoded, encoded_pairs, prefix_token, rolling_windows
from harness.prompting.render import plain_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ASSUMED_LENGTH = 2048  # where neither the server nor the user says


class TokenPrompts:
    """Prompts as token ids (`ServerPrompts`); made by `token_prompts`."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, *, template: ChatTemplate | None, identity: str
    ) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._digest = identity

    @property
    def identity(self) -> object:
        return [self._digest, None if self._template is None else self._template.text]

    def template_facts(self) -> dict[str, object]:
        if self._template is None:
            return {"kind": "plain", "digest": None}
        return {"kind": "chat", "digest": digest("chat-template/1", self._template.text), "clock": CLOCK}

    def messages(self, prompt: PromptLike) -> list[dict[str, str]]:
        return PlainPrompts().messages(prompt)

    def opening(self, prompt: PromptLike) -> Sent:
        ids = list(encoded(self._tokenizer, [self._rendered(prompt)])[0])
        start = prefix_token(self._tokenizer)
        return ids or ([] if start is None else [start])

    def pairs(self, prompt: PromptLike, options: Sequence[str]) -> Pairs | BackendFailure:
        text = self._rendered(prompt)
        bare = isinstance(prompt, str) or self._template is not None
        joiner = "" if bare or isinstance(prompt, str) else prompt.joiner
        pairs = encoded_pairs(self._tokenizer, [(text, joiner + option) for option in options])
        if not all(before and after for before, after in pairs):
            return BackendFailure("nothing_to_score", "An option has no token of its own to score.")
        return Pairs(
            pairs[0][0],
            tuple([*before, *after] for before, after in pairs),
            tuple(len(before) for before, _ in pairs),
        )

    def windows(self, text: str, max_length: int | None) -> list[tuple[list[int], int]] | BackendFailure:
        """One token fewer is read than the context holds: the call must leave room for one new token."""
        (tokens,) = encoded(self._tokenizer, [text])
        room = (max_length or _ASSUMED_LENGTH) - 2
        found = [
            ([*read, wanted[-1]], len(read) + 1 - len(wanted))
            for read, wanted in rolling_windows(tokens, prefix_token(self._tokenizer), room)
        ]
        return found or BackendFailure("nothing_to_score", "the text has no token to score.")

    def _rendered(self, prompt: PromptLike) -> str:
        if isinstance(prompt, str):
            return prompt
        if self._template is None or not prompt.messages:
            return plain_text(prompt)
        return self._template.render(prompt.messages)


def token_prompts(name_or_path: str | Path, *, chat_template: bool | None = None) -> TokenPrompts:
    """Prompts by the tokenizer in a folder.

    Raises:
        CheckpointError: If there is no tokenizer.
        UsageError: If a chat template is asked for and there is none.
    """
    from harness.engine.identity import tokenizer_digest
    from harness.engine.loading import load_tokenizer

    folder = Path(name_or_path).expanduser()
    if not folder.is_dir():
        raise CheckpointError(
            f"There is no tokenizer folder {name_or_path}; name a folder with tokenizer.json (a checkpoint's will do)."
        )
    tokenizer = load_tokenizer(folder)
    text = tokenizer.get_chat_template() if tokenizer.chat_template else None
    if chat_template and text is None:
        raise UsageError(f"The tokenizer {name_or_path} has no chat template; leave the choice open.")
    wanted = text is not None and chat_template is not False
    template = chat_template_of(text, tokenizer.special_tokens_map) if wanted and text is not None else None
    return TokenPrompts(tokenizer, template=template, identity=tokenizer_digest(folder))
