"""A model behind a real HTTP server: the engine's numbers, and an honest failure for whatever breaks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.backends.served import ServedBackend, open_served
from harness.backends.server_settings import ServerSettings
from harness.core.errors import BackendError, CheckpointError, UnknownName, UsageError
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
from tests.backends.model_server import Fault, OneCheckpoint, Served, canned, serving

ASKED = Conversation((Message("user", "Which is right, A or B?"),), cue="Answer:", joiner=" ")
ZH = Conversation((Message("user", "以下哪个答案是正确的？"),), cue="答案：")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> Checkpoint:
    return open_checkpoint(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def tiny_chat(tiny_chat_checkpoint: Path) -> Checkpoint:
    return open_checkpoint(tiny_chat_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def server(tiny: Checkpoint) -> Iterator[Served]:
    with serving(OneCheckpoint(tiny)) as served:
        yield served


def backend_at(url: str, **told: Any) -> ServedBackend:
    """A backend that waits next to nothing between repeats."""
    quick = {"first_wait": 0.01, "timeout": 5.0, "retries": 2, "concurrent": 4}
    return open_served("tiny", ServerSettings(url, **{**quick, **told}), environment={})


def answers(backend: ServedBackend, *requests: Request) -> dict[str, Answer]:
    found = list(backend.answer(requests))
    assert len(found) == len(requests)
    return dict(found)


def same_scores(found: Answer, expected: Answer) -> None:
    assert isinstance(found, Chosen), found
    assert isinstance(expected, Chosen)
    for one, two in zip(found.options, expected.options, strict=True):
        assert abs(one.logprob_nats - two.logprob_nats) <= max(1e-4, 1e-6 * abs(two.logprob_nats))
        assert (one.tokens, one.is_greedy) == (two.tokens, two.is_greedy)


CHOICES = (
    Choose("asked", ASKED, ("A", "B", "both of these")),
    Choose("zh", ZH, ("对", "错")),
    Choose("text", "The courier left the ", ("parcel", "答案", "noon at noon")),
    Choose("spaces", "The review is  \n ", ("positive.", "negative.")),
)


@pytest.mark.parametrize("by_tokens", [False, True], ids=["text", "token ids"])
def test_options_score_as_on_the_engine(server: Served, tiny: Checkpoint, by_tokens: bool) -> None:
    told = {"tokenizer": str(tiny.location.path)} if by_tokens else {}
    found = answers(backend_at(server.url, **told), *CHOICES)
    expected = dict(LocalBackend(tiny).answer(CHOICES))
    for name, answer in expected.items():
        same_scores(found[name], answer)
        assert found[name].prompt_tokens == answer.prompt_tokens  # type: ignore[union-attr]


def test_texts_and_options_without_a_prompt_are_scored_by_token_ids(server: Served, tiny: Checkpoint) -> None:
    backend = backend_at(server.url, tokenizer=str(tiny.location.path))
    requests = (
        ScoreText("short", "The courier left the parcel."),
        ScoreText("zh", "快递员中午把包裹交给了邻居。"),
        Choose("bare", "", ("The review is positive.", "The is review positive.")),
    )
    found, expected = answers(backend, *requests), dict(LocalBackend(tiny).answer(requests))
    for name in ("short", "zh"):
        one, two = found[name], expected[name]
        assert isinstance(one, TextScored)
        assert isinstance(two, TextScored)
        assert abs(one.logprob_nats - two.logprob_nats) <= max(1e-4, 1e-6 * abs(two.logprob_nats))
        assert one.tokens == two.tokens
    same_scores(found["bare"], expected["bare"])


def test_a_long_text_is_scored_in_windows_that_leave_room_for_one_new_token(
    server: Served, tiny: Checkpoint
) -> None:
    text = "The courier left the parcel with the neighbour at noon. " * 60
    backend = backend_at(server.url, tokenizer=str(tiny.location.path))
    before = len(server.calls)
    found = answers(backend, ScoreText("long", text))["long"]
    assert isinstance(found, TextScored)
    assert all(len(body["prompt"]) < tiny.max_tokens for _, body in server.calls[before:] if body)
    # The same windows by the engine: a context of two tokens fewer.
    narrow = open_checkpoint(tiny.location.path, device="cpu")
    narrow.max_tokens = tiny.max_tokens - 2
    [(_, expected)] = LocalBackend(narrow).answer([ScoreText("long", text)])
    assert isinstance(expected, TextScored)
    assert abs(found.logprob_nats - expected.logprob_nats) <= max(1e-4, 1e-6 * abs(expected.logprob_nats))
    assert found.tokens == expected.tokens


@pytest.mark.parametrize("by_tokens", [False, True], ids=["text", "token ids"])
def test_text_is_written_as_on_the_engine(server: Served, tiny: Checkpoint, by_tokens: bool) -> None:
    told = {"tokenizer": str(tiny.location.path)} if by_tokens else {}
    settings = GenerationSettings(
        max_tokens=12, stop=("a", "e", "i", "o", "u", "y")
    )  # servers take four of them
    requests = (
        Generate("plain", ASKED, GenerationSettings(max_tokens=10)),
        Generate("stopped", "The courier", settings, n=2),
    )
    found = answers(backend_at(server.url, **told), *requests)
    for name, expected in LocalBackend(tiny).answer(requests):
        answer = found[name]
        assert isinstance(answer, Generated)
        assert isinstance(expected, Generated)
        assert [each.text for each in answer.generations] == [each.text for each in expected.generations]


def test_samples_differ_and_come_again_with_the_same_seed(server: Served) -> None:
    request = Generate("drawn", "The", GenerationSettings(max_tokens=8, temperature=1.0, seed=3), n=3)
    first, second = (answers(backend_at(server.url), request)["drawn"] for _ in range(2))
    assert isinstance(first, Generated)
    assert isinstance(second, Generated)
    texts = [each.text for each in first.generations]
    assert len(set(texts)) == 3
    assert texts == [each.text for each in second.generations]


def test_a_chat_goes_through_the_servers_template(tiny_chat: Checkpoint, tiny: Checkpoint) -> None:
    def without_clock(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/v1/chat/completions":
            body = {**body, "messages": [{"role": "system", "content": "Hi"}, *body["messages"]]}
        return inner(path, body)

    inner = OneCheckpoint(tiny_chat)
    with serving(without_clock) as served:
        found = answers(
            backend_at(served.url, api="chat"), Generate("one", ASKED, GenerationSettings(max_tokens=6))
        )["one"]
    told = Conversation((Message("system", "Hi"), *ASKED.messages))
    [(_, expected)] = LocalBackend(tiny_chat).answer(
        [Generate("one", told, GenerationSettings(max_tokens=6))]
    )
    assert isinstance(found, Generated)
    assert isinstance(expected, Generated)
    assert found.generations[0].text == expected.generations[0].text
    ((_, body),) = [call for call in served.calls if call[0] != "/v1/models"]
    assert body["messages"][0] == {"role": "user", "content": "Which is right, A or B?"}


def test_the_tokenizers_template_is_applied_here_where_prompts_go_as_token_ids(
    tiny_chat: Checkpoint,
) -> None:
    with serving(OneCheckpoint(tiny_chat)) as served:
        backend = backend_at(served.url, tokenizer=str(tiny_chat.location.path))
        found = answers(backend, Choose("one", ASKED, ("A", "B")))["one"]
        assert backend.describe()["template"] != {"kind": "plain", "digest": None}
    [(_, expected)] = LocalBackend(tiny_chat).answer([Choose("one", ASKED, ("A", "B"))])
    same_scores(found, expected)


# Faults


def failures(found: dict[str, Answer]) -> dict[str, str]:
    return {name: answer.kind for name, answer in found.items() if isinstance(answer, BackendFailure)}


def generate(name: str) -> Generate:
    return Generate(name, name, GenerationSettings(max_tokens=3))


BREAKS = {
    "500": (Fault(500, content=b"boom"), "server"),
    "503": (Fault(503), "server"),
    "429": (Fault(429, content=b"slow down"), "rate_limited"),
    "cut": (Fault(cut=True), "server"),
    "garbage": (Fault(content=b"<html>not JSON"), "server"),
    "a list": (Fault(content=b"[]"), "server"),
    "an error inside": (Fault(content=b'{"error": {"message": "no"}}'), "server"),
    "silence": (Fault(sleep=5.0), "timeout"),
    "trickle": (Fault(trickle=0.05), "timeout"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_once_is_asked_again(name: str) -> None:
    fault, _ = BREAKS[name]
    with serving(faults=lambda number, path, body: fault if number == 0 else None) as served:
        backend = backend_at(served.url, timeout=0.4, concurrent=1)
        found = answers(backend, generate("one"))
    assert isinstance(found["one"], Generated)
    assert found["one"].generations[0].text == "to one"
    assert backend.describe()["repeated_calls"] == 1


@pytest.mark.parametrize("name", BREAKS)
def test_what_stays_broken_is_a_failure_of_its_own_request_and_the_rest_is_kept(name: str) -> None:
    fault, kind = BREAKS[name]
    with serving(faults=lambda number, path, body: fault if body["prompt"] == "bad" else None) as served:
        backend = backend_at(served.url, timeout=0.3, retries=1)
        found = answers(backend, *map(generate, ("one", "bad", "two", "three")))
    assert failures(found) == {"bad": kind}
    answer = found["bad"]
    assert isinstance(answer, BackendFailure)
    assert "(asked 2 times)" in answer.message
    assert served.url.split("//")[1].split("/")[0] in answer.message


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(400, content=b"prompt is too long"), "refused"),
        (Fault(404, content=b"no such path"), "server"),
        (Fault(302, headers={"Location": "http://127.0.0.1:9/"}), "server"),
    ],
)
def test_what_asking_again_cannot_mend_is_asked_once(fault: Fault, kind: str) -> None:
    with serving(faults=lambda number, path, body: fault) as served:
        found = answers(backend_at(served.url), generate("one"))
        assert len(served.calls) == 2  # the list of models, and the one call
    assert failures(found) == {"one": kind}


def test_a_server_is_left_alone_for_as_long_as_it_asks() -> None:
    asks = Fault(429, headers={"Retry-After": "0.5"})
    with serving(faults=lambda number, path, body: asks if number == 0 else None) as served:
        found = answers(backend_at(served.url, concurrent=1), generate("one"), generate("two"))
    assert failures(found) == {}
    own = served.times[1:]
    assert own[1] - own[0] >= 0.5


def test_a_server_that_asks_for_too_much_is_not_waited_for() -> None:
    asks = Fault(429, headers={"Retry-After": "3600"})
    started = time.monotonic()
    with serving(faults=lambda number, path, body: asks) as served:
        found = answers(backend_at(served.url), generate("one"))
    assert failures(found) == {"one": "rate_limited"}
    assert time.monotonic() - started < 5


def test_no_more_than_so_many_calls_are_under_way_or_go_in_a_minute() -> None:
    slow = Fault(sleep=0.05)
    with serving(faults=lambda number, path, body: slow) as served:
        answers(backend_at(served.url, concurrent=3), *map(generate, "abcdefgh"))
        assert served.most_under_way == 3
    with serving() as served:
        answers(backend_at(served.url, requests_per_minute=600), *map(generate, "abcdef"))
        # 600 a minute: a tenth of a second apart, the list of models included.
        assert served.times[-1] - served.times[0] >= 0.55


def test_a_server_that_is_gone_is_not_asked_to_the_last_request() -> None:
    with serving(faults=lambda number, path, body: Fault(500)) as served:
        found = answers(
            backend_at(served.url, retries=0, concurrent=1), *[generate(str(n)) for n in range(40)]
        )
        asked = len(served.calls) - 1
    assert set(failures(found).values()) == {"server"}
    assert len(failures(found)) == 40
    assert asked == 20
    last = found["39"]
    assert isinstance(last, BackendFailure)
    assert "Not asked" in last.message


def test_closing_the_answers_early_ends_what_waits() -> None:
    with serving(faults=lambda number, path, body: Fault(503) if body["prompt"] != "one" else None) as served:
        backend = backend_at(served.url, first_wait=30.0, retries=5, concurrent=2)
        stream = backend.answer([generate("one"), generate("two"), generate("three")])
        assert next(iter(stream))[0] == "one"
        started = time.monotonic()
        stream.close()  # type: ignore[attr-defined]
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("reply", "kind", "expected"),
    [
        ({"choices": []}, "server", "expected one choice"),
        ({"choices": [{"text": None}]}, "server", "expected a text"),
        ({"choices": [{"text": "x", "finish_reason": "content_filter"}]}, "content_filter", "withheld"),
    ],
)
def test_an_answer_without_a_text_is_a_failure(reply: dict[str, Any], kind: str, expected: str) -> None:
    with serving(lambda path, body: canned(path, body) if path == "/v1/models" else reply) as served:
        found = answers(backend_at(served.url), generate("one"))["one"]
    assert isinstance(found, BackendFailure)
    assert found.kind == kind
    assert expected in found.message


def test_a_model_that_only_thought_has_answered_nothing() -> None:
    silent = {"choices": [{"message": {"content": None}, "finish_reason": "length"}]}
    with serving(lambda path, body: canned(path, body) if path == "/v1/models" else silent) as served:
        found = answers(backend_at(served.url, api="chat"), generate("one"))["one"]
    assert isinstance(found, Generated)
    assert (found.generations[0].text, found.generations[0].finish_reason) == ("", "length")


def echoed(own: list[Any], tops: list[Any], *, counts: bool = True) -> dict[str, Any]:
    logprobs = {"token_logprobs": own, "top_logprobs": tops}
    usage = {"usage": {"prompt_tokens": 3 if counts else None}}
    return {"choices": [{"text": "", "logprobs": logprobs}], **usage}


@pytest.mark.parametrize(
    ("reply", "kind", "expected"),
    [
        ({"choices": [{"text": "", "logprobs": None}]}, "no_logprobs", "short_answer, extraction"),
        (echoed([None, -1.0], [None, {}], counts=False), "server", "tokenizer=FOLDER"),
        (echoed([None, -1.0, float("nan"), -1.0], [None] * 4), "server", "log-probabilities from token"),
        (echoed([None, -1.0, -1.0, -1.0], None), "server", "top_logprobs"),  # type: ignore[arg-type]
        (echoed([None], [None]), "server", "log-probabilities from token"),
    ],
)
def test_scores_that_are_not_there_are_a_failure_never_a_number(
    reply: dict[str, Any], kind: str, expected: str
) -> None:
    def answering(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/v1/models":
            return canned(path, body)
        # The prompt alone is said to be two tokens long, with its option three.
        return reply if body.get("echo") else {"choices": [{}], "usage": {"prompt_tokens": 2}}

    if not reply["choices"][0].get("logprobs"):
        reply = reply | {"usage": {"prompt_tokens": 3}}
    with serving(answering) as served:
        found = answers(backend_at(served.url), Choose("one", "Is it?", ("yes",)))["one"]
    assert isinstance(found, BackendFailure)
    assert found.kind == kind
    assert expected in found.message


def test_a_chat_says_what_it_can_still_be_asked() -> None:
    with serving() as served:
        backend = backend_at(served.url, api="chat")
        found = answers(backend, Choose("a", ASKED, ("A", "B")), ScoreText("b", "text"), generate("c"))
    assert failures(found) == {"a": "no_logprobs", "b": "no_logprobs"}
    answer = found["a"]
    assert isinstance(answer, BackendFailure)
    assert "read: {by: generation}" in answer.message
    assert "api=completions" in answer.message


def test_without_a_tokenizer_what_needs_one_says_so(server: Served) -> None:
    found = answers(backend_at(server.url), Choose("bare", "", ("A",)), ScoreText("text", "x"))
    for answer in found.values():
        assert isinstance(answer, BackendFailure)
        assert "tokenizer=FOLDER" in answer.message


# Opening


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with serving() as served:
        url = served.url
    with pytest.raises(BackendError, match=r"No answer from .*Start the server, or correct"):
        backend_at(url, retries=0)


def test_the_model_must_be_served_there(server: Served) -> None:
    with pytest.raises(UnknownName, match=r"No model at .* named 'tinny'. Did you mean 'tiny'"):
        open_served("tinny", ServerSettings(server.url), environment={})


def test_a_template_needs_the_tokenizer_and_the_tokenizer_a_folder(server: Served, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tokenizer=FOLDER"):
        open_served("tiny", ServerSettings(server.url), chat_template=True, environment={})
    with pytest.raises(CheckpointError, match="There is no tokenizer folder"):
        backend_at(server.url, tokenizer=str(tmp_path / "none"))


def test_the_key_is_sent_and_kept_nowhere() -> None:
    with serving() as served:
        settings = ServerSettings(served.url, key_env="MY_KEY")
        backend = open_served("tiny", settings, environment={"MY_KEY": "s3cret"})
        answers(backend, generate("one"))
        assert {headers["Authorization"] for headers in served.headers} == {"Bearer s3cret"}
    assert "s3cret" not in json.dumps(backend.describe())


def test_identity_is_what_the_server_reports_and_the_users_own_word(server: Served, tiny: Checkpoint) -> None:
    plain = backend_at(server.url)
    assert plain.checkpoint == backend_at(server.url, concurrent=1, timeout=9.0).checkpoint
    by_tokens = backend_at(server.url, tokenizer=str(tiny.location.path))
    others = {backend_at(server.url, revision="step 200").checkpoint, by_tokens.checkpoint}
    assert len(others | {plain.checkpoint}) == 3
    described = plain.describe()
    assert described["reported"] == {"max_model_len": 512, "root": "/m/tiny"}
    assert "weights were not seen" in str(described["identity"])
