"""A function stands in for a model."""

from __future__ import annotations

import pytest

import harness.engine
from harness.backends import LocalBackend, scripted
from harness.core.errors import UsageError
from harness.core.exchange import (
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    Generated,
    Request,
    ScoreText,
    TextScored,
)

CHOICE = Choose("c", "2 + 2?", ("three", "four"))


def test_a_text_picks_the_option_it_equals() -> None:
    [(request_id, answer)] = scripted(lambda request: "four").answer([CHOICE])
    assert request_id == "c"
    assert isinstance(answer, Chosen)
    assert [option.is_greedy for option in answer.options] == [False, True]
    assert answer.options[1].logprob_nats > answer.options[0].logprob_nats


def test_a_text_answers_every_sample_of_a_generation() -> None:
    [(_, answer)] = scripted(lambda request: "four").answer([Generate("g", "2 + 2?", n=3)])
    assert isinstance(answer, Generated)
    assert [generation.text for generation in answer.generations] == ["four"] * 3


def test_answers_and_failures_pass_as_they_are() -> None:
    given = {"a": TextScored(-3.0, 2), "b": BackendFailure("timeout", "no answer")}
    backend = scripted(lambda request: given[request.request_id])
    assert dict(backend.answer([ScoreText("a", "x"), ScoreText("b", "y")])) == given


def test_calls_are_counted_as_they_are_made() -> None:
    backend = scripted(lambda request: "three")
    answers = backend.answer([CHOICE, Generate("g", "?")])
    assert backend.calls == 0
    next(answers)
    assert backend.calls == 1
    list(answers)
    assert backend.calls == 2


def test_an_option_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'for'.*request c.*Did you mean 'four'"):
        list(scripted(lambda request: "for").answer([CHOICE]))


def test_a_text_is_no_likelihood() -> None:
    with pytest.raises(UsageError, match="give a TextScored"):
        list(scripted(lambda request: "x").answer([ScoreText("s", "text")]))


def test_the_name_is_its_identity() -> None:
    def answer(request: Request) -> str:
        return "four"

    assert scripted(answer).describe() == scripted(answer).describe()
    assert scripted(answer).describe() != scripted(answer, name="other").describe()


def test_the_local_backend_is_at_hand() -> None:
    assert LocalBackend is harness.engine.LocalBackend
