"""Chat templates rendered with a pinned clock, so that a prompt does not change overnight."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.core.errors import CheckpointError
from harness.core.exchange import Message

if TYPE_CHECKING:
    from jinja2 import Template

# What every template is told the time is; part of a run's settings.
CLOCK = "2026-01-01T12:00:00"
_PROBE = "qzxj"  # a text no template writes itself


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template with the special tokens it may name.

    Args:
        text: The Jinja source.
        special_tokens: `bos_token`, `eos_token` ... as the template names them.
        takes_system: Whether a system message shows in what it renders.
    """

    text: str
    special_tokens: tuple[tuple[str, Any], ...] = ()
    takes_system: bool = True

    def render(self, messages: Sequence[Message], *, answer_next: bool = True) -> str:
        """The conversation as the model was taught to read it, ready for the assistant's answer.

        A system message that the template cannot take goes before the user's text.
        """
        shown = messages if self.takes_system else merged_system(messages)
        return rendered(self.text, shown, dict(self.special_tokens), answer_next=answer_next)


def chat_template_of(text: str, special_tokens: Mapping[str, Any]) -> ChatTemplate:
    """The template, after finding out whether it takes a system message.

    Raises:
        CheckpointError: If it cannot render one question.
    """
    tokens = tuple(sorted(special_tokens.items()))
    question = Message("user", "Hi")
    try:
        takes_system = _PROBE in rendered(text, (Message("system", _PROBE), question), special_tokens)
    except CheckpointError:
        takes_system = False
    template = ChatTemplate(text, tokens, takes_system)
    try:
        template.render((question,))
    except CheckpointError as exc:
        raise CheckpointError(
            f"The chat template cannot render a question ({exc}); correct it, or switch it off with "
            "--no-chat-template."
        ) from exc
    return template


def merged_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with the system's text put before the first user's.

    Example:
        >>> merged_system([Message("system", "Be brief."), Message("user", "Hi")])
        (Message(role='user', content='Be brief.\\n\\nHi'),)
    """
    lead = "\n\n".join(message.content for message in messages if message.role == "system")
    rest = [message for message in messages if message.role != "system"]
    if not lead:
        return tuple(rest)
    if rest and rest[0].role == "user":
        return (Message("user", f"{lead}\n\n{rest[0].content}"), *rest[1:])
    return (Message("user", lead), *rest)


def rendered(
    text: str, messages: Sequence[Message], special_tokens: Mapping[str, Any], *, answer_next: bool = True
) -> str:
    """A conversation laid out by a template's source, the clock pinned.

    Example:
        >>> rendered("{{ strftime_now('%Y') }}{% for m in messages %}|{{ m.content }}{% endfor %}",
        ...          [Message("user", "Hi")], {})
        '2026|Hi'

    Raises:
        CheckpointError: If the template is broken or refuses the conversation.
    """
    from jinja2 import TemplateError

    chat = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return _compiled(text).render(
            messages=chat, tools=None, documents=None, add_generation_prompt=answer_next, **special_tokens
        )
    except (TemplateError, TypeError) as exc:
        raise CheckpointError(f"The chat template cannot render this conversation: {exc}") from exc


def end_of_turn(template: ChatTemplate) -> str | None:
    """What the template writes after an assistant's message, None where that cannot be told."""
    try:
        text = template.render((Message("user", "Hi"), Message("assistant", _PROBE)), answer_next=False)
    except CheckpointError:
        return None
    return text.rsplit(_PROBE, 1)[1] if _PROBE in text else None


@lru_cache(maxsize=8)
def _compiled(text: str) -> Template:
    """The template in a sandbox with what Transformers offers templates, but our clock.

    Transformers' own environment is not used: its clock is `datetime.now()`, and it replaces any callable
    that a caller passes by a placeholder, so the clock cannot be pinned from outside.
    """
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def fail(message: str) -> None:
        raise CheckpointError(f"The chat template refuses this conversation: {message}")

    def to_json(
        value: Any,
        ensure_ascii: bool = False,  # noqa: FBT001, FBT002 - templates pass these as they please
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,  # noqa: FBT001, FBT002
    ) -> str:
        return json.dumps(
            value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _generation_block()]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = fail
    environment.globals["strftime_now"] = datetime.fromisoformat(CLOCK).strftime
    return environment.from_string(text)


@lru_cache(maxsize=1)
def _generation_block() -> type:
    """A Jinja extension for `{% generation %}`, which marks the assistant's text and shows it unchanged."""
    from jinja2 import nodes
    from jinja2.ext import Extension
    from jinja2.parser import Parser

    class GenerationBlock(Extension):
        tags = {"generation"}

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    return GenerationBlock
