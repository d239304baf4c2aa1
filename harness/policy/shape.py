"""The shape of a policy file, for validation and for the published JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag

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
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
ID = r"^\S{4,}$"
Number = Annotated[float, Field(allow_inf_nan=False)]
WORDING = Wording(
    elsewhere={
        "suites": "suite",
        "metrics": "metric",
        "threshold": "margin",
        "level": "alpha",
        "minimum": "floor",
        "maximum": "ceiling",
        "expires": "until",
    },
    patterns={
        SHARE: "a number such as 0.05 or a share such as '10%'",
        DAY: "a day such as 2026-12-31",
        ID: "at least four letters of an id",
    },
)


class Shape(BaseModel):
    """No unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SliceShape(Shape):
    """Which items a rule looks at."""

    language: str | None = Field(default=None, description="Only items of this language, e.g. zh.")
    tags: dict[str, str | int] = Field(default_factory=dict, description="Only items with these tags.")


class ValuesShape(Shape):
    """Per-item values of a business metric, one row an item."""

    path: str = Field(min_length=1, description="A CSV or Parquet file; relative to the policy's folder.")
    item: str = Field("item", min_length=1, description="Column: what a row is about.")
    baseline: str = Field("baseline", min_length=1, description="Column: the baseline's value.")
    candidate: str = Field("candidate", min_length=1, description="Column: the candidate's value.")
    direction: Literal["higher", "lower"] = Field("higher", description="Which way is better.")
    bounds: Annotated[list[Number | None], Field(min_length=2, max_length=2)] = Field(
        [None, None], description="Lowest and highest possible value; null where there is none."
    )


# Keys that say the same thing twice, or nothing together.
EXCLUSIVE: tuple[tuple[str, str, str], ...] = (
    ("floor", "margin", "a floor is judged on the candidate alone; make two rules"),
    ("ceiling", "margin", "a ceiling is judged on the candidate alone; make two rules"),
    ("ceiling", "floor", "make two rules"),
    ("measure", "metric", "a measure stands in a metric's place; make two rules"),
    ("values", "suite", "a values file stands in a suite's place"),
    ("values", "measure", "a values file stands in a measure's place"),
    ("values", "transform", "a values file has no variants"),
    ("values", "family", "a values file has no variants"),
    ("values", "slice", "a values file has no slices; filter its rows"),
    ("values", "by", "a values file has no levels; make one file a level"),
)


def _never_both(first: str, second: str) -> JsonValue:
    return {"not": {"required": [first, second]}}


CONDITIONS: list[JsonValue] = [
    *[_never_both(first, second) for first, second, _ in EXCLUSIVE],
    {"if": {"required": ["values"]}, "then": {"required": ["metric"]}},
]


class RuleShape(Shape):
    """One rule."""

    model_config = ConfigDict(json_schema_extra={"allOf": CONDITIONS})

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
    floor: Number | None = Field(
        default=None, description="Smallest acceptable value of the candidate itself, in the metric's units."
    )
    ceiling: Number | None = Field(
        default=None, description="Largest acceptable value of the candidate itself, in the metric's units."
    )
    measure: (
        Literal["tokens_per_second", "seconds_per_answer", "tokens_per_answer", "peak_memory_bytes"] | None
    ) = Field(default=None, description="What it costs to answer, in place of a metric.")
    values: ValuesShape | None = Field(
        default=None, description="A business metric's values; `metric` is then its name."
    )


class BaselineShape(Shape):
    """Which run is the baseline."""

    run: str = Field(min_length=1, description="A run's id or name.")


class MustPassShape(Shape):
    """A list of items that must be right."""

    path: str = Field(min_length=1, description="A JSON Lines file; relative to the policy's folder.")
    variants: Literal["source", "all"] = Field(
        "source", description="Whether the unchanged item must be right, or every variant of it."
    )
    tier: Literal["blocking", "advisory"] = Field(
        "blocking", description="An advisory list never fails the build."
    )


class QuarantineShape(Shape):
    """An item that is not judged for a while."""

    item: str = Field(pattern=ID, description="An item's or variant's id, or its first letters.")
    until: str = Field(pattern=DAY, description="The last day, YYYY-MM-DD.")
    reason: str = Field(min_length=1, description="Why it is not judged.")


def _must_pass_kind(value: object) -> str:
    return "<path>" if isinstance(value, str) else "<list>"


MustPassPart = Annotated[
    Annotated[str, Field(min_length=1), Tag("<path>")] | Annotated[MustPassShape, Tag("<list>")],
    Discriminator(_must_pass_kind),
]


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
    must_pass: list[MustPassPart] = Field(
        default_factory=list, description="Lists of items that must be right, as JSON Lines files."
    )
    quarantine: list[QuarantineShape] = Field(
        default_factory=list, description="Items that are not judged for a while."
    )
