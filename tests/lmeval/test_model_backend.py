"""A model of lm-eval's as one of our backends: its answers where it has some, failures of single requests elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.errors import UnknownName, UsageError
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Choose,
    Chosen,
    Conversation,
    Generate,
    Generated,
    GenerationSettings,
    Message,
    Request,
    ScoreText,
    TextScored,
)
from harness.engine import Checkpoint, LocalBackend, open_checkpoint
from harness.lmeval.model_backend import LmEvalBackend, lm_eval_backend
from tests.backends.model_server import Fault, OneCheckpoint, serving

if TYPE_CHECKING:
    from lm_eval.models.huggingface import HFLM

ASKED = Conversation((Message("user", "Which is right, A or B?"),), cue="Answer:", joiner=" ")
REQUESTS = (
    Choose("asked", ASKED, ("A", "B", "both of these")),
    Choose("bare", "", ("The review is positive.", "The is review positive.")),
    ScoreText("text", "快递员中午把包裹交给了邻居。"),
    Generate("written", "The courier", GenerationSettings(max_tokens=8, stop=("e",)), n=2),
)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OPENAI_API_KEY", "none")
        yield


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> Checkpoint:
    return open_checkpoint(tiny_checkpoint, device="cpu")


def answers(backend: LmEvalBackend, *requests: Request) -> dict[str, Answer]:
    found = list(backend.answer(requests))
    assert len(found) == len(requests)
    return dict(found)


def same(found: Answer, expected: Answer) -> None:
    """Equal within the project's tolerance."""
    if isinstance(expected, Chosen):
        assert isinstance(found, Chosen), found
        for one, two in zip(found.options, expected.options, strict=True):
            assert abs(one.logprob_nats - two.logprob_nats) <= 1e-4
            assert (one.tokens, one.is_greedy) == (two.tokens, two.is_greedy)
    elif isinstance(expected, TextScored):
        assert isinstance(found, TextScored), found
        assert abs(found.logprob_nats - expected.logprob_nats) <= 1e-4
    else:
        assert isinstance(found, Generated), found
        assert isinstance(expected, Generated)
        assert [each.text for each in found.generations] == [each.text for each in expected.generations]


def test_lm_evals_hf_gives_the_answers_of_the_engine(tiny_model: HFLM, tiny: Checkpoint) -> None:
    backend = LmEvalBackend(tiny_model, name="hf", arguments={"pretrained": "tiny"})
    found = answers(backend, *REQUESTS)
    for name, expected in LocalBackend(tiny).answer(REQUESTS):
        same(found[name], expected)


def test_a_server_through_lm_evals_own_client_gives_the_answers_of_the_engine(tiny: Checkpoint) -> None:
    pytest.importorskip("tenacity")
    with serving(OneCheckpoint(tiny)) as served:
        told = f"model=tiny,base_url={served.url}/completions,tokenizer={tiny.location.path},max_length=512"
        backend = lm_eval_backend("local-completions", "tiny", told + ",tokenizer_backend=huggingface")
        # lm-eval's client adds no BOS to a prompt, which this tokenizer does, so the prompts bring their own.
        requests = (
            Choose("asked", "<s>The courier left the", (" parcel", " noon at noon")),
            Choose("bare", "", ("The review is positive.",)),
        )
        found = answers(backend, *requests)
    for name, expected in LocalBackend(tiny).answer(requests):
        same(found[name], expected)


class Breaks:
    """A model of lm-eval's kind that breaks on some texts."""

    tokenizer = None

    def __init__(self, broken: Callable[[str], Exception | None]) -> None:
        self.asked: list[int] = []
        self._broken = broken

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        self.asked.append(len(requests))
        for request in requests:
            error = self._broken(request.args[0])
            if error is not None:
                raise error
        return [f"to {request.args[0]}" for request in requests]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("CUDA error"), "server"),
        (TimeoutError(), "timeout"),
        (ConnectionError("the read timed out"), "timeout"),
        (KeyError("choices"), "server"),
        (AssertionError("Context length must be greater than 0"), "server"),
        (NotImplementedError("Loglikelihood is not supported"), "server"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_breaks_fails_alone_and_the_rest_of_its_pack_is_kept(error: Exception, kind: str) -> None:
    model = Breaks(lambda text: error if text in ("7", "8") else None)
    backend = LmEvalBackend(model, name="made", arguments={})
    found = answers(backend, *[Generate(str(number), str(number)) for number in range(20)])
    failed = {name: answer.kind for name, answer in found.items() if isinstance(answer, BackendFailure)}
    assert failed == {"7": kind, "8": kind}
    assert isinstance(found["9"], Generated)
    assert max(model.asked) == 20  # all at once first


def test_answers_that_do_not_fit_the_calls_are_failures() -> None:
    class Wrong(Breaks):
        def generate_until(self, requests: Sequence[Any]) -> list[str]:
            return ["one"] * (len(requests) + 1)

        def loglikelihood(self, requests: Sequence[Any]) -> list[Any]:
            return [(float("nan"), False)] * len(requests)

    backend = LmEvalBackend(Wrong(lambda text: None), name="made", arguments={})
    found = answers(backend, Generate("a", "x"), Choose("b", "x", ("y",)), Choose("c", "x", ()))
    kinds = {name: answer.kind for name, answer in found.items() if isinstance(answer, BackendFailure)}
    assert kinds == {"a": "server", "b": "no_token_counts", "c": "nothing_to_score"}


def test_an_interruption_is_no_failure_of_the_model() -> None:
    def broken(text: str) -> Exception | None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers(LmEvalBackend(Breaks(broken), name="made", arguments={}), Generate("a", "x"))


def test_a_chat_model_gets_messages_and_says_that_it_scores_nothing() -> None:
    pytest.importorskip("tenacity")
    with serving() as served:
        told = f"model=tiny,base_url={served.url}/chat/completions,max_retries=1"
        backend = lm_eval_backend("local-chat-completions", "tiny", told)
        found = answers(backend, Generate("a", ASKED), Choose("b", ASKED, ("A", "B")))
        bodies = [body for _, body in served.calls if body]
    written = found["a"]
    assert isinstance(written, Generated)
    assert written.generations[0].text == "to Which is right, A or B?"
    assert bodies[0]["messages"] == [{"role": "user", "content": "Which is right, A or B?"}]
    scored = found["b"]
    assert isinstance(scored, BackendFailure)
    assert "Loglikelihood is not supported for chat completions" in scored.message


def test_a_broken_server_is_a_failure_through_lm_evals_client_too() -> None:
    pytest.importorskip("tenacity")
    with serving(faults=lambda number, path, body: Fault(500, content=b"boom")) as served:
        told = f"model=tiny,base_url={served.url}/chat/completions,max_retries=1"
        found = answers(lm_eval_backend("local-chat-completions", "tiny", told), Generate("a", "x"))
    answer = found["a"]
    assert isinstance(answer, BackendFailure)
    assert (answer.kind, "500" in answer.message) == ("server", True)


def test_identity_is_the_models_name_and_arguments() -> None:
    model = Breaks(lambda text: None)
    one = LmEvalBackend(model, name="vllm", arguments={"pretrained": "m", "dtype": "half"})
    same_again = LmEvalBackend(model, name="vllm", arguments={"dtype": "half", "pretrained": "m"})
    other = LmEvalBackend(model, name="vllm", arguments={"dtype": "auto", "pretrained": "m"})
    assert one.checkpoint == same_again.checkpoint != other.checkpoint
    assert one.shown_name == "vllm:m"
    assert "weights were not seen" in str(one.describe()["identity"])


@pytest.mark.parametrize(
    ("name", "arguments", "error", "expected"),
    [
        ("vlm", "", UnknownName, "No lm-eval model named 'vlm'. Did you mean 'vllm'"),
        ("local-completions", "auth_token=x", UsageError, "OPENAI_API_KEY"),
        ("hf", "dtype=float99", UsageError, "cannot be made"),
    ],
)
def test_a_model_that_cannot_be_made_is_one_message(
    tiny_checkpoint: Path, name: str, arguments: str, error: type[UsageError], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        lm_eval_backend(name, str(tiny_checkpoint), arguments)
