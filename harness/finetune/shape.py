"""The recipe's shape, from which its JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.formats.faults import Wording

Share = Annotated[float, Field(gt=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LORA_ONLY = ("rank", "alpha", "dropout", "targets")


class Shape(BaseModel):
    """No unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ReadShape(Shape):
    """How items with options or labels are asked, as in a suite."""

    by: Literal["option_text", "letter", "generation"] = "option_text"
    show_options: bool | None = None


class MapShape(Shape):
    """Which column of a row is which part of an item."""

    answer: str = Field(min_length=1, description="The column of the answer to learn.")
    question: str | None = Field(None, description="The column of the question.")
    instruction: str | None = Field(None, description="The column of the instruction.")
    context: str | None = Field(None, description="The column of the passages: a text or a list of texts.")
    options: str | None = Field(None, description="The column of the options; the answer is one of them.")
    system: str | None = Field(None, description="The column of the system message.")
    language: str | None = Field(None, description="The column of the language tag.")


class RowsShape(Shape):
    """How the rows of a file are to be read."""

    map: MapShape | None = Field(None, description="For prompt/answer rows.")
    task: (
        Literal[
            "multiple_choice",
            "classification",
            "extraction",
            "short_answer",
            "free_text",
            "likelihood",
            "conversation",
        ]
        | None
    ) = Field(None, description="The task shape that items are asked as.")
    read: ReadShape | None = Field(None, description="How options and labels are asked.")
    language: str | None = Field(
        None,
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="Of all rows; else told by their script.",
    )


class DataShape(RowsShape):
    """A file of training rows."""

    path: str = Field(min_length=1, description="A .jsonl file, or a .json file holding one list.")
    share: Share = Field(1.0, description="Share of its rows used, drawn by the seed.")
    limit: int | None = Field(None, ge=1, description="At most so many of them, the first ones.")


class ReplayShape(RowsShape):
    """Rows of an earlier task that keep it from being forgotten."""

    path: str = Field(alias="from", min_length=1, description="A file of rows.")
    share: float = Field(gt=0, lt=1, description="Their share of all rows of the stage.")


class TreatmentShape(Shape):
    """A transform applied to a share of the items."""

    transform: str = Field(min_length=1)
    share: Share = 1.0
    params: dict[str, Any] = Field(default_factory=dict)


class ScheduleShape(Shape):
    """The learning rate over the steps."""

    name: Literal["linear", "cosine", "constant"] = "cosine"
    warmup: BelowOne = Field(0.05, description="Share of the steps over which the rate rises.")
    peak: Positive = Field(description="The highest learning rate.")


class ObjectiveShape(Shape):
    """What is learned."""

    loss: Literal["answers_only", "all_tokens"] = "answers_only"
    label_smoothing: BelowOne = 0.0


class StageShape(Shape):
    """One stage of training."""

    method: Literal["full", "lora"]
    rank: int = Field(16, ge=1)
    alpha: Positive | None = Field(None, description="Twice the rank unless given.")
    dropout: BelowOne = 0.0
    targets: Literal["all-linear"] | list[str] = "all-linear"
    epochs: Positive | None = None
    steps: int | None = Field(None, ge=1)
    schedule: ScheduleShape | None = Field(
        None, description="Cosine with peak 2e-4 for lora, 2e-5 for full, unless given."
    )
    batch_size: int | None = Field(None, ge=1, description="Rows a batch; 16 unless batch_tokens is given.")
    batch_tokens: int | None = Field(None, ge=1, description="Padded tokens a batch.")
    accumulate: int = Field(1, ge=1, description="Batches a step.")
    objective: ObjectiveShape = Field(default_factory=ObjectiveShape)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip: Positive = Field(1.0, description="Largest norm of the gradient.")
    replay: ReplayShape | None = None
    max_tokens: int | None = Field(
        None, ge=2, description="Longer rows are left out; the context's length unless given."
    )
    save_every: int = Field(100, ge=1, description="Steps between saved states.")


class RecipeShape(Shape):
    """A fine-tuning recipe."""

    version: Literal[1] = Field(alias="schema", description="Version of this format.")
    base: str = Field(min_length=1, description="The checkpoint to train: a folder or hub id.")
    seed: int = Field(0, ge=0, lt=2**31)
    data: list[DataShape] = Field(min_length=1)
    treatments: list[TreatmentShape] = Field(default_factory=list)
    stages: list[StageShape] = Field(min_length=1)
    chat_template: bool | None = Field(
        None, description="Whether to use it; where there is one, unless given."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Of multiplications; auto is float32 on a processor, bfloat16 on a GPU that has it.",
    )
    save_dtype: Literal["base", "float32", "bfloat16", "float16"] = Field(
        "base", description="Of the full weights written; `base` is that of the base."
    )


# What other trainers call our keys.
WORDING = Wording(
    elsewhere={
        "model": "base",
        "model_name_or_path": "base",
        "dataset": "data",
        "datasets": "data",
        "file": "path",
        "answers": "answer",
        "output": "answer",
        "prompt": "question",
        "input": "question",
        "r": "rank",
        "lora_rank": "rank",
        "lora_alpha": "alpha",
        "lora_dropout": "dropout",
        "target_modules": "targets",
        "lora_target": "targets",
        "num_epochs": "epochs",
        "num_train_epochs": "epochs",
        "max_steps": "steps",
        "lr": "schedule",
        "learning_rate": "schedule",
        "lr_scheduler_type": "schedule",
        "warmup_ratio": "schedule",
        "warmup_steps": "warmup",
        "per_device_train_batch_size": "batch_size",
        "micro_batch_size": "batch_size",
        "gradient_accumulation_steps": "accumulate",
        "max_grad_norm": "clip",
        "max_length": "max_tokens",
        "max_seq_length": "max_tokens",
        "cutoff_len": "max_tokens",
        "save_steps": "save_every",
    }
)
