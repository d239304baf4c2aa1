"""The shape of suite.yaml, for validation and for the published JSON Schema."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from harness.core.items import TaskShape
from harness.suites.item_shape import LANGUAGE, PromptRecord, Shape

NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
VERSION = r"^[0-9A-Za-z]+([._+-][0-9A-Za-z]+)*$"
Language = Annotated[str, Field(pattern=LANGUAGE)]
FileName = Annotated[str, Field(min_length=1)]


class GenerationRecord(Shape):
    """How free text is generated; temperature 0 is greedy."""

    max_tokens: Annotated[int, Field(ge=1)] = 64
    stop: list[Annotated[str, Field(min_length=1)]] = []
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    samples: Annotated[int, Field(ge=1)] = 1


class ReadRecord(Shape):
    """How an answer among options or labels is read."""

    by: Literal["option_text", "letter", "generation"] = "option_text"
    normalise: Literal["none", "tokens", "characters", "bytes"] = "none"
    show_options: bool | None = None


class DrawnDemonstrations(Shape):
    """Where solved examples come from: a split, or a file of items in the folder."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    source: FileName = Field(alias="from")
    k: Annotated[int, Field(ge=1)] = 3
    draw: Literal["first", "seeded"] = "seeded"
    seed: int = 0


class TagSplit(Shape):
    """The items of the main file that carry this tag."""

    tag: Annotated[dict[str, str | int], Field(min_length=1, max_length=1)]


def _split_kind(value: Any) -> str:
    return "<tag>" if isinstance(value, dict) else "<file>"


SplitRecord = Annotated[
    Annotated[FileName, Tag("<file>")] | Annotated[TagSplit, Tag("<tag>")], Discriminator(_split_kind)
]


def is_per_language(value: Any) -> bool:
    """Whether a suite's `prompt:` is written per language: every key is a language tag.

    Example:
        >>> shared = {"instruction": "Be brief."}
        >>> is_per_language({"en": shared}), is_per_language(shared)
        (True, False)
    """
    return isinstance(value, dict) and bool(value) and all(re.match(LANGUAGE, str(key)) for key in value)


def _prompt_kind(value: Any) -> str:
    return "<languages>" if is_per_language(value) else "<parts>"


PromptDefaults = Annotated[
    Annotated[PromptRecord, Tag("<parts>")] | Annotated[dict[Language, PromptRecord], Tag("<languages>")],
    Discriminator(_prompt_kind),
]


class SuiteRecord(Shape):
    """suite.yaml."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    schema_version: Literal[1] = Field(alias="schema")
    name: Annotated[str, Field(pattern=NAME)]
    version: Annotated[str, Field(pattern=VERSION)]
    summary: Annotated[str, Field(min_length=1)]
    licence: Annotated[str, Field(min_length=1)]
    languages: Annotated[list[Language], Field(min_length=1)]
    task: TaskShape
    metrics: Annotated[list[str], Field(min_length=1)]
    primary: str
    generation: GenerationRecord = GenerationRecord()
    read: ReadRecord = ReadRecord()
    prompt: PromptDefaults | None = None
    demonstrations: DrawnDemonstrations | None = None
    splits: dict[Annotated[str, Field(pattern=NAME)], SplitRecord] = {}
    labels: list[Annotated[str, Field(min_length=1)]] = []
    variants: list[str | dict[str, Any]] = []
    smoke: Annotated[int, Field(ge=1)] = 40
    items: FileName = "items.jsonl"
