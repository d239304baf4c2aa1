"""Planted faults that the check of noise must find, and what the decorator refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.errors import TransformError
from harness.core.items import Item, Passage, Prompt, Target, Text
from harness.core.variants import Change
from harness.transforms import Preserves, TransformSpec, specification_of, transform
from harness.transforms.parameters import checked_params
from harness.transforms.validity import noise_fault

SPEC = TransformSpec("planted", "noise", Preserves.ANSWER, frozenset({"question"}), frozenset({"en"}))
ITEM = Item(
    "en",
    Prompt(
        instruction=Text("Answer."),
        context=(Passage("The museum closes at nine, not at 10.", protect=("museum",)),),
        question=Text("When, by `clock()`, at https://a.org?"),
        options=("nine", "ten"),
    ),
    Target(option=0),
)


def _with(context: str | None = None, question: str | None = None, **parts: Any) -> Item:
    prompt = ITEM.prompt
    if context is not None:
        parts["context"] = (replace(prompt.context[0], text=context),)
    if question is not None:
        parts["question"] = Text(question)
    return replace(ITEM, prompt=replace(prompt, **parts))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (_with(), "nothing changed"),
        (_with("The musuem closes at nine, not at 10."), "protected text lost: 'museum' in context[0]"),
        (_with("The museum closes at nien, not at 10."), "protected text lost: 'nine' in context[0]"),
        (_with("The museum closes at nine, nto at 10."), "protected text lost: 'not' in context[0]"),
        (_with("The museum closes at nine, not at 1."), "protected text made by accident: '1' in context[0]"),
        (
            _with("The museum closes at nine, not no at 10."),
            "protected text made by accident: 'no' in context[0]",
        ),
        (
            _with(question="When, by `clok()`, at https://a.org?"),
            "protected text lost: '`clock()`' in question",
        ),
        (
            _with(question="When, by `clock()`, at https://b.org?"),
            "protected text lost: 'https://a.org?' in question",
        ),
        (_with(options=("nine", "tne")), "the options were edited"),
        (_with(order=("question", "options")), "the order was edited"),
        (_with(context=None, system=Text("New.")), "parts were added or removed"),
        (
            replace(_with("The museum shuts at nine, not at 10."), target=Target(option=1)),
            "the target was edited",
        ),
        (_with("The museum shuts at nine, not at 10."), None),
    ],
)
def test_a_planted_fault_is_named(changed: Item, fault: str | None) -> None:
    assert (noise_fault(ITEM, changed, SPEC) or "").startswith(fault or "")
    assert (noise_fault(ITEM, changed, SPEC) is None) == (fault is None)


def test_a_parameter_without_default_is_refused() -> None:
    with pytest.raises(TransformError, match="'severity' must be keyword-only with a default"):

        @transform(preserves=Preserves.ANSWER, touches={"question"})
        def broken(item: Item, rng: Any, severity: float) -> list[Change]:
            return []


def test_a_function_that_declares_nothing_is_no_transform() -> None:
    with pytest.raises(TransformError, match="Transform 'len' declares nothing"):
        specification_of(len)


def test_a_user_made_transform_has_its_parameters_read_from_its_signature() -> None:
    @transform(preserves=Preserves.ANSWER, touches={"question"}, languages={"en"})
    def double_space(item: Item, rng: Any, *, severity: float = 0.2, word: str | None = None) -> list[Change]:
        return []

    spec = specification_of(double_space)
    assert spec.is_noise and not spec.takes_pool and spec.covers("en-GB") and not spec.covers("zh")
    assert checked_params(spec, {}) == {"severity": 0.2, "word": None}
    with pytest.raises(TransformError, match="word is 3; allowed is a text or null"):
        checked_params(spec, {"word": 3})
    with pytest.raises(TransformError, match="It takes: severity, word"):
        checked_params(spec, {"qqq": 3})
    with pytest.raises(TransformError, match="allowed is a number"):
        checked_params(spec, {"severity": float("nan")})
