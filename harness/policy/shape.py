"""The shape of a policy file, for validation and for the published JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from harness.formats.faults import Wording

SHARE = r"^(?:[1-9][0-9]?(?:\.[0-9]+)?|0?\.[0-9]*[1-9][0-9]*)%$"


def _margin_kind(value: object) -> str:
    return "<share>" if isinstance(value, str) else "<number>"


# The tags in angle brackets are taken out of a fault's path before people see it.
MarginPart = Annotated[
    Annotated[float, Field(gt=0, allow_inf_nan=False), Tag("<number>")]
    | Annotated[str, Field(pattern=SHARE), Tag("<share>")],
    Discriminator(_margin_kind),
]
WORDING = Wording(
    elsewhere={"suites": "suite", "metrics": "metric", "threshold": "margin", "level": "alpha"},
    patterns={SHARE: "a number such as 0.05 or a share such as '10%'"},
)


class Shape(BaseModel):
    """No unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SliceShape(Shape):
    """Which items a rule looks at."""

    language: str | None = Field(default=None, description="Only items of this language, e.g. zh.")
    tags: dict[str, str | int] = Field(default_factory=dict, description="Only items with these tags.")


class RuleShape(Shape):
    """One rule."""

    suite: str = Field("*", min_length=1, description="A suite's name, or a pattern with * and ?.")
    metric: str = Field("primary", min_length=1, description="A metric's name, or `primary`.")
    margin: MarginPart = Field(
        0.05,
        description="Largest acceptable loss, in the metric's units or as a share of the baseline ('10%').",
    )
    transform: str | None = Field(
        default=None, description="Only variants of this transform; `source` is the unchanged items."
    )
    family: str | None = Field(default=None, description="Only variants of this family of transforms.")
    slice: SliceShape = Field(SliceShape(), description="Only these items.")
    by: Literal["transform", "position", "language", "level"] | None = Field(
        default=None, description="One judgement per transform, position, level or language."
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
    baseline: BaselineShape | None = Field(
        default=None, description="The baseline, unless --baseline names another."
    )
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
