"""Prompts that do not fit, and what the backend says of itself."""

from __future__ import annotations

import json

import pytest

from harness.core.errors import PromptTooLong, UnknownName, UsageError
from harness.core.exchange import (
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    Generated,
    GenerationSettings,
    Request,
    ScoreText,
)
from harness.engine import Checkpoint, LocalBackend
from harness.engine.tokens import encoded

LONG = "Which of these answers is right: A, B, C or D?" * 40
FITS = Choose("fits", "The review is", (" positive.", " negative."))
REQUESTS: tuple[Request, ...] = (
    FITS,
    *(Choose(f"long{index}", LONG, (" A", " B")) for index in range(6)),
    Generate("write", LONG, GenerationSettings(max_tokens=4)),
    ScoreText("roll", LONG),
)


def test_too_long_prompts_stop_the_run_before_anything_is_loaded(own_tiny: Checkpoint) -> None:
    with pytest.raises(
        PromptTooLong, match=r"7 of 9 requests do not fit the context of 512.*long0 .* and 2 more"
    ):
        LocalBackend(own_tiny).answer(REQUESTS)
    assert own_tiny._model is None


def test_too_long_prompts_are_skipped_as_failures_and_counted(tiny: Checkpoint) -> None:
    backend = LocalBackend(tiny, too_long="skip")
    answers = dict(backend.answer(REQUESTS))
    failed = {key for key, answer in answers.items() if isinstance(answer, BackendFailure)}
    assert failed == {"write", *(f"long{index}" for index in range(6))}
    assert {answers[key].kind for key in failed} == {"prompt_too_long"}  # type: ignore[union-attr]
    assert backend.describe()["skipped"] == 7
    assert backend.describe()["truncated"] == 0


def test_too_long_prompts_are_cut_on_the_left_and_counted(tiny: Checkpoint) -> None:
    backend = LocalBackend(tiny, too_long="truncate-left")
    answers = dict(backend.answer(REQUESTS))
    assert not [answer for answer in answers.values() if isinstance(answer, BackendFailure)]
    assert backend.describe()["truncated"] == 7
    [whole] = encoded(tiny.tokenizer, [LONG])
    chosen, text = answers["long0"], answers["write"]
    assert isinstance(chosen, Chosen) and isinstance(text, Generated)
    assert chosen.prompt_tokens == text.prompt_tokens == len(whole)  # of the prompt as asked


def test_an_option_longer_than_the_context_cannot_be_cut(tiny: Checkpoint) -> None:
    request = Choose("q", "The review is", (LONG, " short"))
    [(_, answer)] = LocalBackend(tiny, too_long="truncate-left").answer([request])
    assert isinstance(answer, BackendFailure)
    assert answer.kind == "prompt_too_long"


def test_a_prompt_of_exactly_the_context_fits(tiny: Checkpoint) -> None:
    [ids] = encoded(tiny.tokenizer, [LONG])
    # The last option token is predicted, never read: 512 read and one more predicted.
    prompt = tiny.tokenizer.decode(ids[1:512])
    [again] = encoded(tiny.tokenizer, [prompt])
    assert len(again) == 512
    [(_, answer)] = LocalBackend(tiny).answer([Choose("q", prompt, ("的", "是"))])
    assert isinstance(answer, Chosen)
    with pytest.raises(PromptTooLong):
        LocalBackend(tiny).answer([Generate("g", prompt, GenerationSettings(max_tokens=1))])


def test_two_requests_of_one_id_are_refused(tiny: Checkpoint) -> None:
    with pytest.raises(UsageError, match="Two requests have the id 'fits'"):
        LocalBackend(tiny).answer([FITS, FITS])


def test_an_unknown_policy_is_refused(tiny: Checkpoint) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'truncate-left'"):
        LocalBackend(tiny, too_long="truncate")  # type: ignore[arg-type]


def test_a_budget_of_nothing_is_refused(tiny: Checkpoint) -> None:
    with pytest.raises(UsageError, match="batch_tokens"):
        LocalBackend(tiny, batch_tokens=0)


def test_answers_come_as_batches_complete(own_tiny: Checkpoint) -> None:
    passes: list[int] = []
    own_tiny.model.model.register_forward_hook(lambda *_: passes.append(1))
    requests = [
        Choose(f"q{index}", f"Question {index}?" + " right" * index, (" A.", " B.")) for index in range(8)
    ]
    answers = LocalBackend(own_tiny, batch_tokens=1).answer(requests)
    next(answers)
    before = len(passes)
    list(answers)
    assert before < len(passes)


def test_nothing_to_answer_is_no_work(own_tiny: Checkpoint) -> None:
    assert list(LocalBackend(own_tiny).answer([])) == []
    assert own_tiny._model is None


@pytest.mark.parametrize(
    "request_",
    [Choose("q", "?", ()), ScoreText("q", ""), Generate("q", "?", GREEDY, 0)]
    if (GREEDY := GenerationSettings())
    else [],
)
def test_a_request_for_nothing_fails_by_name(tiny: Checkpoint, request_: Request) -> None:
    [(request_id, answer)] = LocalBackend(tiny).answer([request_])
    if isinstance(request_, ScoreText):  # the tokenizer puts BOS before it: one token, as in lm-eval
        assert not isinstance(answer, BackendFailure)
    else:
        assert isinstance(answer, BackendFailure) and request_id in answer.message


def test_a_description_is_json_and_names_what_answered(tiny: Checkpoint) -> None:
    backend = LocalBackend(tiny, batch_tokens=77)
    list(backend.answer([FITS]))
    description = json.loads(json.dumps(backend.describe()))
    assert description["kind"] == "local"
    assert description["checkpoint"] == tiny.identity.digest
    assert (description["batch_tokens"], description["dtype"], description["device"]) == (
        77,
        "float32",
        "cpu",
    )
    assert description["attention"] == tiny.model.config._attn_implementation
