"""The shape of one line of items.jsonl, for validation and for the published JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from harness.core.items import Component

LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
TARGET_PARTS = ("label", "option", "answers", "fields", "references")


class Shape(BaseModel):
    """Strict types, and no key that is not known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _text_or_record(value: Any) -> str:
    return "<record>" if isinstance(value, dict) else "<text>"


class MarkedText(Shape):
    """A text with the substrings that no transform may edit."""

    text: str
    protect: list[str] = []


class PassageRecord(Shape):
    """A passage; `key` marks what decides the answer."""

    text: str
    key: bool = False
    source: str | None = None
    protect: list[str] = []


# The tags in angle brackets are taken out of a fault's path before people see it.
TextPart = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[MarkedText, Tag("<record>")], Discriminator(_text_or_record)
]
PassagePart = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[PassageRecord, Tag("<record>")], Discriminator(_text_or_record)
]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class LabelRecord(Shape):
    """A class: its id and the names it may be called by, the shown one first."""

    id: Annotated[str, Field(min_length=1)]
    names: Names


class OutputRecord(Shape):
    """The declared form of an answer; `wording` asks for it in other words than the usual."""

    format: Literal[
        "json", "json_extra", "xml", "yaml", "markdown_table", "line", "key_value", "sentence"
    ] = "json"
    fields: Annotated[dict[str, str], Field(min_length=1)]
    wording: Annotated[str, Field(min_length=1)] | None = None


class TurnRecord(Shape):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str
    protect: list[str] = []


class TargetRecord(Shape):
    """What is right: exactly one part (`one_part_faults` checks it). Labels go by id, options by index from 0."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [part]} for part in TARGET_PARTS]})

    label: str | None = None
    option: Annotated[int, Field(ge=0)] | None = None
    answers: Names | None = None
    fields: Annotated[dict[str, str | int | float | bool | None], Field(min_length=1)] | None = None
    references: Names | None = None


class DemonstrationRecord(Shape):
    """A solved example; a text as answer stands for one accepted answer."""

    question: TextPart | None = None
    context: list[PassagePart] = []
    options: list[str] = []
    answer: Annotated[
        Annotated[str, Tag("<text>")] | Annotated[TargetRecord, Tag("<record>")],
        Discriminator(_text_or_record),
    ]


class PromptRecord(Shape):
    """The typed parts of a prompt; a part left out is absent, or comes from the suite's `prompt:`."""

    system: TextPart | None = None
    instruction: TextPart | None = None
    demonstrations: list[DemonstrationRecord] = []
    context: list[PassagePart] = []
    question: TextPart | None = None
    options: list[Annotated[str, Field(min_length=1)]] = []
    labels: list[LabelRecord] = []
    output: OutputRecord | None = None
    turns: list[TurnRecord] = []
    text: TextPart | None = None
    order: Annotated[list[Component], Field(min_length=1)] | None = None


class ItemRecord(Shape):
    """One line of items.jsonl. Ids are computed from the content and never written."""

    language: Annotated[str, Field(pattern=LANGUAGE)]
    prompt: PromptRecord
    target: TargetRecord | None = None
    tags: dict[str, str | int] = {}
    identity: str | None = None
