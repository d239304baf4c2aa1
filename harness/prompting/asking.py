"""How a suite's items are asked and read: one entry point over the task shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, assert_never

from harness.core.exchange import (
    Answer,
    BackendFailure,
    Chosen,
    Generated,
    GenerationSettings,
    Request,
    TextScored,
)
from harness.core.items import TaskShape
from harness.core.scores import Prediction
from harness.core.variants import Variant
from harness.prompting import classification, conversation, extraction, free_text, likelihood, multiple_choice
from harness.prompting import short_answer as short_answers

ReadBy = Literal["option_text", "letter", "generation"]
Normalise = Literal["none", "tokens", "characters", "bytes"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How an answer among options or labels is read.

    Args:
        by: `option_text` compares the likelihood of the options' texts, `letter` of their letters, `generation`
            reads free text.
        normalise: What each option's log-likelihood is divided by before the largest wins.
        show_options: Whether options are listed in the prompt; None means: listed unless read by `option_text`.
    """

    by: ReadBy = "option_text"
    normalise: Normalise = "none"
    show_options: bool | None = None

    @property
    def lists_options(self) -> bool:
        """Whether options stand in the prompt."""
        return self.by != "option_text" if self.show_options is None else self.show_options


@dataclass(frozen=True, slots=True)
class Asking:
    """Everything a suite says of how its items are asked: task shape, reading, generation."""

    task: TaskShape
    reading: Reading = field(default_factory=Reading)
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    samples: int = 1


def request(variant: Variant, asking: Asking) -> Request:
    """The one request that a variant makes; its id is the variant's."""
    match asking.task:
        case "multiple_choice":
            return multiple_choice.request(variant, asking)
        case "classification":
            return classification.request(variant, asking)
        case "extraction":
            return extraction.request(variant, asking)
        case "short_answer":
            return short_answers.request(variant, asking)
        case "free_text":
            return free_text.request(variant, asking)
        case "likelihood":
            return likelihood.request(variant, asking)
        case "conversation":
            return conversation.request(variant, asking)
        case _:
            assert_never(asking.task)


def read(variant: Variant, answer: Answer, asking: Asking, *, sample: int = 0) -> Prediction:
    """The prediction that an answer holds; a backend's failure is `failed`, never wrong.

    Example:
        >>> from harness.core.items import Item, Prompt, Text
        >>> from harness.core.variants import source_variant
        >>> variant = source_variant(Item(language="en", prompt=Prompt(question=Text("?"))))
        >>> read(variant, BackendFailure("timeout", "no answer in 60 s"), Asking("short_answer")).outcome
        'failed'
    """
    if isinstance(answer, BackendFailure):
        return Prediction("failed", reason=f"{answer.kind}: {answer.message}")
    if isinstance(answer, TextScored):
        return likelihood.read(variant, answer)
    if isinstance(answer, Chosen):
        return multiple_choice.read_chosen(variant, answer, asking)
    if isinstance(answer, Generated):
        generation = answer.generations[sample]
        match asking.task:
            case "multiple_choice":
                return multiple_choice.read_text(variant, generation.text)
            case "classification":
                return classification.read_text(variant, generation.text)
            case "extraction":
                return extraction.read_text(variant, generation.text)
            case "short_answer" | "likelihood":
                return short_answers.read_text(variant, generation.text)
            case "free_text":
                return free_text.read_text(variant, generation.text)
            case "conversation":
                return conversation.read_text(variant, generation.text)
            case _:
                assert_never(asking.task)
    assert_never(answer)
