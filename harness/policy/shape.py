"""The policy file's shape, from which its JSON Schema is made."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_PERCENT = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*$")


def _margin(value: object) -> object:
    """A number of the metric's units, or a text such as "10%"."""
    if isinstance(value, bool):
        raise ValueError(f"expected a number such as 0.05 or a share such as '10%', got {value}")
    if isinstance(value, (int, float)):
        if not 0 < value:
            raise ValueError(f"expected a margin above 0, got {value}")
        return value
    if isinstance(value, str) and (match := _PERCENT.match(value)):
        if not 0 < float(match[1]) < 100:
            raise ValueError(f"expected a share between 0% and 100%, got '{value}'")
        return value
    raise ValueError(f"expected a number such as 0.05 or a share such as '10%', got {value!r}")


class Shape(BaseModel):
    """No unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SliceShape(Shape):
    """Which items a rule looks at."""

    language: str | None = Field(None, description="Only items of this language, e.g. zh.")
    tags: dict[str, str] = Field(default_factory=dict, description="Only items with these tags.")


class RuleShape(Shape):
    """One rule."""

    suite: str = Field("*", min_length=1, description="A suite's name, or a pattern with * and ?.")
    metric: str = Field("primary", min_length=1, description="A metric's name, or `primary`.")
    margin: Annotated[float | int | str, BeforeValidator(_margin)] = Field(
        0.05,
        description="Largest acceptable loss, in the metric's units or as a share of the baseline ('10%').",
    )
    transform: str | None = Field(
        None, description="Only variants of this transform; `source` is the unchanged items."
    )
    family: str | None = Field(None, description="Only variants of this family of transforms.")
    slice: SliceShape = Field(default_factory=SliceShape, description="Only these items.")
    by: Literal["transform", "position", "language", "level"] | None = Field(
        None, description="One judgement per transform, position, level or language."
    )
    tier: Literal["blocking", "advisory"] = Field(
        "blocking", description="An advisory rule never fails the build."
    )


class BaselineShape(Shape):
    """Which run is the baseline."""

    run: str = Field(min_length=1, description="A run's id or name.")


class PolicyShape(Shape):
    """A gate's policy."""

    version: Literal[1] = Field(alias="schema", description="Version of this format.")
    alpha: float = Field(0.05, gt=0, le=0.5, description="One-sided level of all blocking rules together.")
    baseline: BaselineShape | None = Field(None, description="The baseline, unless --baseline names another.")
    inconclusive: Literal["fail", "warn"] = Field(
        "fail", description="What an inconclusive verdict does to the build."
    )
    min_shared: float = Field(
        1.0, ge=0, le=1, description="Share of a suite's variants that must be comparable."
    )
    max_failed_share: float = Field(
        0.01, ge=0, le=1, description="Share of variants a system failure may take."
    )
    rules: list[RuleShape] = Field(min_length=1, description="At least one rule.")
