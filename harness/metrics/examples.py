"""Small hand-made cases, read by the real readers: for docstrings, and for the examples of error classes."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.exchange import (
    Answer,
    Choose,
    Chosen,
    Conversation,
    FinishReason,
    Generate,
    Generated,
    Generation,
    OptionScore,
    TextScored,
)
from harness.core.items import (
    Demonstration,
    FieldValue,
    Item,
    Label,
    OutputSpec,
    Prompt,
    Target,
    TaskShape,
    Text,
)
from harness.core.scores import Case
from harness.core.variants import source_variant
from harness.prompting import Asking, Reading, read, request
from harness.prompting.asking import ReadBy


@dataclass(frozen=True, slots=True)
class Example:
    """What a case is about, in plain values; absent parts are left out of the item.

    Args:
        output: The generated text, unless something else was measured.
        answers: Accepted answers; likewise `references`, `label`, `option`, `fields`.
        labels: Names of the label set; a label's id is its first name.
        demonstrations: Their answers.
        option_nats: Log-likelihoods of the options (or label names), where they were compared.
        text: A text whose likelihood `text_nats` over `tokens` was measured.
    """

    output: str = ""
    question: str = "?"
    language: str = "en"
    answers: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    label: str | None = None
    labels: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    option: int | None = None
    fields: tuple[tuple[str, FieldValue], ...] = ()
    demonstrations: tuple[str, ...] = ()
    finish: FinishReason = "eos"
    option_nats: tuple[float, ...] = ()
    text: str | None = None
    text_nats: float = 0.0
    tokens: int = 1


def task_of(example: Example) -> TaskShape:
    """The task shape that an example's parts imply."""
    if example.text is not None:
        return "likelihood"
    if example.options:
        return "multiple_choice"
    if example.labels:
        return "classification"
    if example.fields:
        return "extraction"
    return "free_text" if example.references else "short_answer"


def _kind(value: FieldValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def example_item(example: Example) -> Item:
    """The item of an example.

    Example:
        >>> example_item(Example(question="2 + 2?", answers=("4",))).target.answers
        ('4',)
    """
    target: Target | None = Target(
        label=example.label,
        option=example.option,
        answers=example.answers,
        fields=example.fields,
        references=example.references,
    )
    prompt = Prompt(
        question=None if example.text is not None else Text(example.question),
        demonstrations=tuple(
            Demonstration(answer=Target(answers=(answer,)), question=Text("..."))
            for answer in example.demonstrations
        ),
        options=example.options,
        labels=tuple(Label(name, (name,)) for name in example.labels),
        output=OutputSpec("json", tuple((name, _kind(value)) for name, value in example.fields))
        if example.fields
        else None,
        text=None if example.text is None else Text(example.text),
    )
    if example.text is not None:
        target = None
    return Item(language=example.language, prompt=prompt, target=target)


def example_case(example: Example) -> Case:
    """The case of an example: asked and read as a suite of its task shape would be.

    Example:
        >>> example_case(Example(output="Sure, nine!", answers=("nine",))).prediction.text
        'Sure, nine!'
    """
    variant = source_variant(example_item(example))
    by: ReadBy = "option_text" if example.option_nats else "generation"
    asking = Asking(task_of(example), Reading(by=by))
    asked = request(variant, asking)
    answer: Answer = Generated((Generation(example.output, example.finish, example.tokens),))
    conversation: Conversation | str = example.text or ""
    if isinstance(asked, Choose):
        answer = Chosen(tuple(OptionScore(nats, 1) for nats in example.option_nats))
    elif not isinstance(asked, Generate):
        answer = TextScored(example.text_nats, example.tokens)
    if isinstance(asked, Choose | Generate):
        conversation = asked.prompt
    return Case(variant, conversation, answer, read(variant, answer, asking))
