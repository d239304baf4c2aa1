"""The item: one evaluation example whose prompt is typed parts, not a string."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from harness.core.digest import digest

Role = Literal["system", "user", "assistant"]
TaskShape = Literal[
    "multiple_choice",
    "classification",
    "extraction",
    "short_answer",
    "free_text",
    "likelihood",
    "conversation",
]
TASK_SHAPES: tuple[TaskShape, ...] = (
    "multiple_choice",
    "classification",
    "extraction",
    "short_answer",
    "free_text",
    "likelihood",
    "conversation",
)
FieldValue = str | int | float | bool | None

# The parts of a prompt that are laid out one after another, in their usual order.
# `system` is a message of its own; `turns` and `text` stand alone.
Component = Literal["instruction", "demonstrations", "context", "question", "options", "labels", "output"]
DEFAULT_ORDER: tuple[Component, ...] = (
    "instruction",
    "labels",
    "output",
    "demonstrations",
    "context",
    "question",
    "options",
)


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of prompt text with the substrings that no transform may edit."""

    text: str
    protect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage (a sentence or a document) of the context; `key` marks what decides the answer."""

    text: str
    key: bool = False
    source: str | None = None
    protect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """A class: its id, and the names it may be called by (the first is the one shown)."""

    id: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """The declared form of an answer: a format, the fields with their types, and the words that ask for it.

    A label, an option or a short answer is the value of the field, where there is but one. Without `wording` the
    language's usual sentence asks.
    """

    format: str = "json"
    fields: tuple[tuple[str, str], ...] = ()
    wording: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation that has already happened, or the user's last one."""

    role: Role
    text: str
    protect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What is accepted as right; exactly one part is set.

    Labels go by id and options by index, never by their text, so that renaming and reordering keep them.
    """

    label: str | None = None
    option: int | None = None
    answers: tuple[str, ...] = ()
    fields: tuple[tuple[str, FieldValue], ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A solved example shown before the question."""

    answer: Target
    question: Text | None = None
    context: tuple[Passage, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """The typed parts of a prompt. Absent parts are None or empty.

    `text` is raw text whose likelihood is measured, or an already rendered prompt of an imported task;
    `turns` is a conversation. `order` is the order in which the other components are laid out.
    """

    system: Text | None = None
    instruction: Text | None = None
    demonstrations: tuple[Demonstration, ...] = ()
    context: tuple[Passage, ...] = ()
    question: Text | None = None
    options: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    output: OutputSpec | None = None
    turns: tuple[Turn, ...] = ()
    text: Text | None = None
    order: tuple[Component, ...] = DEFAULT_ORDER


@dataclass(frozen=True)
class Item:
    """One evaluation example. Its id is the digest of language and prompt; the target has its own.

    Not slotted: the ids are computed once, on first use.

    Args:
        language: BCP 47 primary tag, e.g. "en" or "zh".
        prompt: The typed prompt.
        target: What is right; None for likelihood items.
        tags: Sorted (name, value) pairs to slice by.
        identity: The content hash of an imported item's source document, which then stands for the prompt
            (an imported log holds only the rendered prompt, and that changes with the few-shot draw).

    Example:
        >>> first = Item(language="en", prompt=Prompt(question=Text("2 + 2?")), target=Target(answers=("4",)))
        >>> second = Item(language="en", prompt=Prompt(question=Text("2 + 2?")), target=Target(answers=("four",)))
        >>> first.item_id == second.item_id, first.target_id == second.target_id
        (True, False)
    """

    language: str
    prompt: Prompt
    target: Target | None = None
    tags: tuple[tuple[str, str], ...] = ()
    identity: str | None = field(default=None)

    @cached_property
    def item_id(self) -> str:
        """The digest of language and prompt."""
        from harness.core.codec import prompt_to_json

        if self.identity is not None:
            return digest("item/1", self.language, {"identity": self.identity})
        # The fields are asked for in their order, which sorted JSON does not keep.
        output = self.prompt.output
        asked = () if output is None else ([name for name, _ in output.fields],)
        return digest("item/1", self.language, prompt_to_json(self.prompt), *asked)

    @cached_property
    def target_id(self) -> str:
        """The digest of the target."""
        from harness.core.codec import target_to_json

        return digest("target/1", None if self.target is None else target_to_json(self.target))

    def tag(self, name: str) -> str | None:
        """The value of a tag, or None."""
        return dict(self.tags).get(name)
