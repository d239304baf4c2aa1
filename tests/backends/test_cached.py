"""What was answered is not asked again, and what would be answered otherwise is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.backends import CachedBackend, scripted
from harness.core.errors import BackendError, UsageError
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Choose,
    Conversation,
    Generate,
    Generated,
    Generation,
    GenerationSettings,
    Message,
    Request,
    ScoreText,
    TextScored,
)
from harness.store import ResponseCache

IDENTITY: dict[str, object] = {"weights": "w", "dtype": "float32"}
SAMPLED = GenerationSettings(temperature=0.7, seed=1)


class Counting:
    """Answers at once, each with a time, and remembers what it was asked."""

    def __init__(self, failing: frozenset[str] = frozenset(), cut: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self.failing = failing
        self.cut = cut

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        for request in requests:
            self.asked.append(request.request_id)
            if request.request_id in self.failing:
                yield request.request_id, BackendFailure("server", "busy")
                continue
            # The text names the request that was really asked.
            made = Generation(request.request_id, "eos", 1)
            yield request.request_id, Generated((made,), prompt_tokens=7, seconds=0.5)

    def describe(self) -> dict[str, object]:
        truncated = [name for name in self.cut if name in self.asked]
        return {"kind": "counting", "truncated": len(truncated), "truncated_ids": truncated, "notes": []}


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ResponseCache]:
    with ResponseCache(tmp_path / "responses.sqlite") as opened:
        yield opened


def asked_of(
    cache: ResponseCache, requests: Sequence[Request], *, identity: dict[str, object] | None = None
) -> list[str]:
    """What reaches the backend."""
    inner = Counting()
    answers = dict(CachedBackend(inner, cache, identity=identity or IDENTITY).answer(requests))
    assert set(answers) == {request.request_id for request in requests}
    return inner.asked


conversation = Conversation((Message("user", "Why?"),), "Answer:", " ")
kinds = st.sampled_from(
    [
        Choose("", "2 + 2?", ("A", "B")),
        Choose("", "2 + 2?", ("B", "A")),
        Choose("", conversation, ("A", "B")),
        ScoreText("", "a text"),
        Generate("", "2 + 2?"),
        Generate("", "2 + 2?", n=2),
        Generate("", conversation, GenerationSettings(max_tokens=5)),
        Generate("", conversation, GenerationSettings(stop=("\n",))),
    ]
)


@settings(max_examples=40)
@given(st.lists(kinds, max_size=12), st.integers(0, 12))
def test_each_content_is_asked_once_over_all_calls_whatever_ids_and_order(
    tmp_path_factory: pytest.TempPathFactory, contents: list[Request], split: int
) -> None:
    requests = [replace(content, request_id=f"r{place}") for place, content in enumerate(contents)]
    inner = Counting()
    with ResponseCache(tmp_path_factory.mktemp("cached") / "responses.sqlite") as cache:
        first = dict(CachedBackend(inner, cache, identity=IDENTITY).answer(requests[:split]))
        again = CachedBackend(inner, cache, identity=IDENTITY)
        second = dict(again.answer(requests[::-1]))
    # By hand: the distinct contents are the distinct requests when the ids are taken away.
    assert len(inner.asked) == len(set(contents))
    assert set(second) == {request.request_id for request in requests}
    assert again.hits == sum(content in contents[:split] for content in contents)
    assert again.misses == len(set(contents)) - len(set(contents[:split]))
    for request_id, answer in first.items():
        assert second[request_id] == replace(answer, seconds=None)  # type: ignore[type-var]


def test_a_kept_answer_has_no_time_of_this_run(cache: ResponseCache) -> None:
    backend = CachedBackend(Counting(), cache, identity=IDENTITY)
    [(_, fresh)] = backend.answer([ScoreText("a", "text")])
    [(_, kept)] = backend.answer([ScoreText("b", "text")])
    assert (fresh.seconds, kept.seconds) == (0.5, None)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "changed", [{"weights": "other"}, {"dtype": "bfloat16"}, {"adapter": "a"}, {"replicate": 1}]
)
def test_another_identity_is_asked_anew(cache: ResponseCache, changed: dict[str, object]) -> None:
    requests = [ScoreText("a", "text")]
    assert asked_of(cache, requests) == ["a"]
    assert asked_of(cache, requests, identity=IDENTITY | changed) == ["a"]
    assert asked_of(cache, requests) == []


def test_a_changed_item_costs_only_itself(cache: ResponseCache) -> None:
    requests = [Choose(f"r{number}", f"{number}?", ("A", "B")) for number in range(50)]
    asked_of(cache, requests)
    requests[17] = Choose("r17", "another question?", ("A", "B"))
    assert asked_of(cache, requests) == ["r17"]


@pytest.mark.parametrize(
    "other",
    [
        Generate("a", "Why?", replace(SAMPLED, seed=2)),
        Generate("a", "Why?", replace(SAMPLED, top_p=0.5)),
        Generate("a", "Why?", SAMPLED, n=3),
        Generate("a", "Why not?", SAMPLED),
        Generate("b", "Why?", SAMPLED),  # another id draws other noise
    ],
)
def test_a_sampled_text_is_kept_for_the_same_draw_only(cache: ResponseCache, other: Generate) -> None:
    first = Generate("a", "Why?", SAMPLED)
    assert asked_of(cache, [first]) == ["a"]
    assert asked_of(cache, [first]) == []
    assert asked_of(cache, [other]) == [other.request_id]


def test_a_failure_of_the_system_is_asked_again(cache: ResponseCache) -> None:
    requests = [ScoreText("a", "one"), ScoreText("b", "two")]
    inner = Counting(failing=frozenset({"b"}))
    answers = dict(CachedBackend(inner, cache, identity=IDENTITY).answer(requests))
    assert isinstance(answers["b"], BackendFailure)
    assert asked_of(cache, requests) == ["b"]


def test_what_came_before_an_interruption_is_kept(cache: ResponseCache) -> None:
    class Breaking(Counting):
        def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
            yield from super().answer(requests[:3])
            raise BackendError("the server is gone")

    requests = [ScoreText(f"r{number}", f"text {number}") for number in range(6)]
    with pytest.raises(BackendError):
        list(CachedBackend(Breaking(), cache, identity=IDENTITY).answer(requests))
    assert asked_of(cache, requests) == ["r3", "r4", "r5"]


def test_a_run_that_stops_listening_keeps_what_it_heard(cache: ResponseCache) -> None:
    requests = [ScoreText(f"r{number}", f"text {number}") for number in range(6)]
    answers = CachedBackend(Counting(), cache, identity=IDENTITY).answer(requests)
    next(answers)
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert asked_of(cache, requests) == ["r2", "r3", "r4", "r5"]


def test_a_resumed_run_asks_as_before_what_it_asked_before(cache: ResponseCache) -> None:
    # The batches of what is asked must be those of the first attempt, so its own kept answers do not count as
    # known; those of an earlier run did not reach the model in the first attempt and do not now.
    requests = [ScoreText(f"r{number}", f"text {number}") for number in range(4)]
    asked_of(cache, requests[:1])
    first = CachedBackend(Counting(), cache, identity=IDENTITY)
    first.begin("store", "run")
    dict(first.answer(requests[:3]))  # r0 was kept, r1 and r2 are asked; then it is killed
    inner = Counting()
    resumed = CachedBackend(inner, cache, identity=IDENTITY)
    resumed.begin("store", "run")
    answers = dict(resumed.answer(requests, done=["r0", "r1"]))
    assert set(answers) == {"r2", "r3"}
    assert inner.asked == ["r2", "r3"]
    other = CachedBackend(inner, cache, identity=IDENTITY)
    other.begin("store", "another run")
    assert set(dict(other.answer(requests))) == {"r0", "r1", "r2", "r3"}
    assert (other.hits, other.misses) == (4, 0)


def test_a_backend_that_plans_its_batches_is_given_what_is_done_and_the_plan(cache: ResponseCache) -> None:
    class Planning(Counting):
        plan: object = None
        done: object = None

        def answer(  # type: ignore[override]
            self, requests: Sequence[Request], *, done: Sequence[str] = ()
        ) -> Iterator[tuple[str, Answer]]:
            self.given, self.done = [request.request_id for request in requests], set(done)
            yield from super().answer([request for request in requests if request.request_id not in done])

        def scoring_plan(self) -> dict[str, object]:
            return {"batch_tokens": 64}

        def follow(self, scoring_plan: object) -> None:
            self.plan = scoring_plan

    requests = [ScoreText(f"r{number}", f"text {number}") for number in range(4)]
    asked_of(cache, requests[:1])
    inner = Planning()
    backend = CachedBackend(inner, cache, identity=IDENTITY)
    backend.begin("store", "run")
    backend.follow({"batch_tokens": 32})
    assert (inner.plan, backend.scoring_plan()) == ({"batch_tokens": 32}, {"batch_tokens": 64})
    # r0 was known before the run began, so it has no place in the batches; r1 was asked before it broke off.
    assert set(dict(backend.answer(requests, done=["r0", "r1"]))) == {"r2", "r3"}
    assert (inner.given, inner.done) == (["r1", "r2", "r3"], {"r1"})


def test_prompts_that_were_cut_are_counted_where_the_answer_was_kept(cache: ResponseCache) -> None:
    requests = [ScoreText("a", "one"), ScoreText("b", "two")]
    dict(CachedBackend(Counting(cut=("b",)), cache, identity=IDENTITY).answer(requests))
    again = CachedBackend(Counting(), cache, identity=IDENTITY)
    dict(again.answer(requests))
    described = again.describe()
    assert (described["truncated"], described["truncated_ids"]) == (1, ["b"])
    assert described["notes"] == ["1 answers from the cache are to prompts cut on the left."]
    assert described["cache"] == {"hits": 2, "misses": 0}


def test_ids_must_be_unique(cache: ResponseCache) -> None:
    with pytest.raises(UsageError, match="2 requests have 1 ids"):
        CachedBackend(Counting(), cache, identity=IDENTITY).answer([ScoreText("a", "x"), ScoreText("a", "y")])


def test_texts_with_lone_surrogates_have_keys_of_their_own(cache: ResponseCache) -> None:
    assert asked_of(cache, [ScoreText("a", "\ud800"), ScoreText("b", "\\ud800")]) == ["a", "b"]


def test_a_scripted_backend_may_be_cached_too(cache: ResponseCache) -> None:
    inner = scripted(lambda request: TextScored(-1.5, 2))
    backend = CachedBackend(inner, cache, identity=inner.describe())
    for _ in range(2):
        assert list(backend.answer([ScoreText("a", "x")])) == [("a", TextScored(-1.5, 2))]
    assert inner.calls == 1
