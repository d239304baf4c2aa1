"""A backend that remembers: what was answered before, in any run, is not asked again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core.digest import canonical_json, digest
from harness.core.errors import UsageError
from harness.core.exchange import (
    Answer,
    Backend,
    BackendFailure,
    Choose,
    Conversation,
    Generated,
    Generation,
    PromptLike,
    Request,
    Response,
    ScoreText,
)
from harness.core.planning_backend import PlanningBackend
from harness.store.response_cache import CachedResponse, ResponseCache

PACK_SECONDS = 2.0
PACK_SIZE = 2048
_KEY_BYTES = 16

Content = Callable[[Request], object]


def content_of(request: Request) -> list[object]:
    """What a request asks, JSON-able, for backends that say nothing better of themselves.

    Without its id, except for a sampled generation: two of those are two draws.
    """
    if isinstance(request, Choose):
        return ["choose", _prompt(request.prompt), list(request.options)]
    if isinstance(request, ScoreText):
        return ["score", request.text]
    settings = request.settings
    limits = [settings.max_tokens, list(settings.stop), settings.temperature, settings.top_p, settings.seed]
    drawn_for = request.request_id if settings.temperature > 0 else None
    return ["generate", _prompt(request.prompt), limits, request.n, drawn_for]


class CachedBackend:
    """Answers from a cache, asks the backend for the rest and keeps what it says (`core.exchange.Backend`).

    A failure of the system is never kept. A kept answer has no `seconds`: this run did not spend them.

    Args:
        backend: What answers.
        cache: Where responses are kept.
        identity: Everything about the backend that its answers depend on, JSON-able: weights, number format ...
        content: What a request asks as far as its answer depends on it, JSON-able.

    Attributes:
        hits: Requests answered without the backend.
        misses: Distinct requests given to the backend.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from harness.backends import scripted
        >>> inner = scripted(lambda request: "B")
        >>> asked = Choose("q1", "2 + 2?", ("A", "B"))
        >>> with TemporaryDirectory() as folder, ResponseCache(f"{folder}/responses.sqlite") as cache:
        ...     for _ in range(2):
        ...         backend = CachedBackend(inner, cache, identity={"name": "a script"})
        ...         [(_, chosen)] = backend.answer([asked])
        >>> inner.calls, backend.hits
        (1, 1)
    """

    def __init__(
        self,
        backend: Backend,
        cache: ResponseCache,
        *,
        identity: Mapping[str, object],
        content: Content = content_of,
    ) -> None:
        self.hits = 0
        self.misses = 0
        self._backend = backend
        self._cache = cache
        self._content = content
        self._base = hashlib.sha256(canonical_json(["response/1", dict(identity)]).encode())
        self._writer = b""
        self._cut: set[str] = set()

    def begin(self, *run: str) -> None:
        """Says which run of which store asks from now on; a resumed one knows its own answers by it."""
        self._writer = bytes.fromhex(digest("writer/1", *run, length=16))

    def answer(
        self, requests: Sequence[Request], *, done: Collection[str] = ()
    ) -> Iterator[tuple[str, Answer]]:
        """Kept answers first, then the backend's as they complete; equal requests are asked once.

        Args:
            requests: All of them.
            done: Ids that a run which goes on has answers to; none comes for these. What this run itself asked
                before it broke off is then asked as before, so that the backend makes the same batches of it.

        Raises:
            UsageError: If two requests share an id.
        """
        answered = frozenset(done)
        keys = {request.request_id: self._key(request) for request in requests}
        if len(keys) < len(requests):
            raise UsageError(f"{len(requests)} requests have {len(keys)} ids; ids must be unique.")
        kept = self._cache.get(set(keys.values()))
        if not answered.isdisjoint(keys):
            kept = {key: held for key, held in kept.items() if held.writer != self._writer}
        waiting: dict[bytes, list[str]] = {}
        asked: list[Request] = []
        for request in requests:
            key = keys[request.request_id]
            if key in kept:
                continue
            if request.request_id in answered:
                asked.append(request)
                continue
            if key not in waiting:
                asked.append(request)
            waiting.setdefault(key, []).append(request.request_id)
        hits = [name for name, key in keys.items() if key in kept and name not in answered]
        self.hits += len(hits)
        self._cut.update(name for name in hits if kept[keys[name]].was_cut)
        self.misses += len(waiting)
        # Before the first answer is given out: a prompt that does not fit is told at once.
        fresh = self._asked(asked, answered) if waiting else iter(())
        return self._answers(hits, keys, kept, waiting, fresh)

    def describe(self) -> dict[str, object]:
        """The backend's own description, with what the cache did; cut prompts count where answers were kept too."""
        described = self._backend.describe()
        notes = [*_listed(described, "notes"), *self._cache.notes]
        if self._cut:
            notes.append(f"{len(self._cut)} answers from the cache are to prompts cut on the left.")
            cut = sorted({*map(str, _listed(described, "truncated_ids")), *self._cut})
            described |= {"truncated": len(cut), "truncated_ids": cut}
        return described | {"cache": {"hits": self.hits, "misses": self.misses}, "notes": notes}

    def scoring_plan(self) -> Mapping[str, object] | None:
        """The plan of the backend's batches, where it has one."""
        return self._backend.scoring_plan() if isinstance(self._backend, PlanningBackend) else None

    def follow(self, scoring_plan: Mapping[str, object]) -> None:
        """Makes the backend's batches by the plan of a run that was broken off, where it can."""
        if isinstance(self._backend, PlanningBackend):
            self._backend.follow(scoring_plan)

    def _key(self, request: Request) -> bytes:
        hasher = self._base.copy()
        hasher.update(canonical_json(self._content(request)).encode())
        return hasher.digest()[:_KEY_BYTES]

    def _asked(self, asked: Sequence[Request], answered: frozenset[str]) -> Iterator[tuple[str, Answer]]:
        again = answered.intersection(request.request_id for request in asked)
        if not again:
            return self._backend.answer(asked)
        if isinstance(self._backend, PlanningBackend):
            return self._backend.answer(asked, done=again)
        return self._backend.answer([request for request in asked if request.request_id not in again])

    def _answers(
        self,
        hits: Sequence[str],
        keys: Mapping[str, bytes],
        kept: Mapping[bytes, CachedResponse],
        waiting: Mapping[bytes, Sequence[str]],
        fresh: Iterator[tuple[str, Answer]],
    ) -> Iterator[tuple[str, Answer]]:
        for request_id in hits:
            yield request_id, kept[keys[request_id]].response
        for request_id, answer in self._keeping(fresh, keys):
            yield request_id, answer
            for other in waiting[keys[request_id]]:
                if other != request_id:
                    yield other, _without_time(answer)

    def _keeping(
        self, fresh: Iterator[tuple[str, Answer]], keys: Mapping[str, bytes]
    ) -> Iterator[tuple[str, Answer]]:
        """Answers as they come, kept pack by pack, also where it is broken off.

        One pack behind: what the cache holds of a run that is killed is then in the run's journal too, unless
        it is killed between the two.
        """
        last: dict[str, Response] = {}
        pack: dict[str, Response] = {}
        started = time.monotonic()
        try:
            for request_id, answer in fresh:
                if not isinstance(answer, BackendFailure):
                    pack[request_id] = answer
                if len(pack) >= PACK_SIZE or time.monotonic() - started >= PACK_SECONDS:
                    self._keep(last, keys)
                    last, pack, started = pack, {}, time.monotonic()
                yield request_id, answer
        finally:
            self._keep(last | pack, keys)

    def _keep(self, pack: Mapping[str, Response], keys: Mapping[str, bytes]) -> None:
        if not pack:
            return
        cut = frozenset(_listed(self._backend.describe(), "truncated_ids"))
        self._cache.put(
            {
                keys[request_id]: CachedResponse(response, request_id in cut, self._writer)
                for request_id, response in pack.items()
            }
        )


def _prompt(prompt: PromptLike) -> object:
    if isinstance(prompt, Conversation):
        messages = [[message.role, message.content] for message in prompt.messages]
        return [messages, prompt.cue, prompt.joiner]
    return prompt


def _listed(described: Mapping[str, object], name: str) -> list[Any]:
    found = described.get(name)
    return list(found) if isinstance(found, (list, tuple)) else []


def _without_time(answer: Answer) -> Answer:
    if isinstance(answer, BackendFailure):
        return answer
    if isinstance(answer, Generated):
        texts = (Generation(each.text, each.finish_reason, each.tokens) for each in answer.generations)
        return Generated(tuple(texts), answer.prompt_tokens)
    return replace(answer, seconds=None)
