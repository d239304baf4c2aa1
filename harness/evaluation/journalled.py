"""A backend that never asks twice: answers stand in the run's journal as soon as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness.core.digest import digest
from harness.core.errors import BackendError
from harness.core.exchange import (
    Answer,
    Backend,
    Choose,
    Conversation,
    PromptLike,
    Request,
    ScoreText,
)
from harness.core.planning_backend import PlanningBackend
from harness.store import RunWriter

PACK_SECONDS = 2.0
PACK_SIZE = 2048


def _prompt_key(prompt: PromptLike) -> object:
    if isinstance(prompt, Conversation):
        return [[m.role, m.content] for m in prompt.messages] + [prompt.cue, prompt.joiner]
    return prompt


def content_id(request: Request) -> str:
    """The digest of what is asked: identical requests of any suite are answered once.

    Example:
        >>> content_id(ScoreText("a", "text")) == content_id(ScoreText("b", "text"))
        True
    """
    if isinstance(request, Choose):
        return digest("request/1", "choose", _prompt_key(request.prompt), list(request.options))
    if isinstance(request, ScoreText):
        return digest("request/1", "score", request.text)
    settings = request.settings
    return digest(
        "request/1",
        "generate",
        _prompt_key(request.prompt),
        [settings.max_tokens, list(settings.stop), settings.temperature, settings.top_p, settings.seed],
        request.n,
    )


class JournalledBackend:
    """Answers from the run's journal, asks the backend for the rest, and journals what comes back.

    Args:
        backend: What answers.
        writer: The open run.
        on_answers: Called with the number of requests answered so far, when it begins and after each pack.

    Attributes:
        asked: Distinct requests given to the backend.
        resumed: Answers found in the journal.
    """

    def __init__(
        self, backend: Backend, writer: RunWriter, *, on_answers: Callable[[int], None] | None = None
    ) -> None:
        self._backend = backend
        self._writer = writer
        self._known: dict[str, Answer] = dict(writer.answered())
        self._settled: dict[str, Request] = {}  # asked in an earlier call: they shape no passes any more
        self._on_answers = on_answers or (lambda done: None)
        self._done = 0
        self.asked = 0
        self.resumed = len(self._known)

    @property
    def answered(self) -> list[tuple[Request, Answer]]:
        """Every distinct request that this run asked for, by its content id, with its answer."""
        return [
            (replace(request, request_id=key), self._known[key])
            for key, request in self._settled.items()
            if key in self._known
        ]

    def describe(self) -> dict[str, object]:
        """The backend's own description."""
        return self._backend.describe()

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """Known answers first, then the backend's in the order they complete; equal requests are asked once."""
        waiting: dict[str, list[str]] = {}
        distinct: dict[str, Request] = {}
        for request in requests:
            key = content_id(request)
            if key not in self._settled:
                distinct.setdefault(key, request)
            if key in self._known:
                self._done += 1
                yield request.request_id, self._known[key]
            else:
                waiting.setdefault(key, []).append(request.request_id)
        todo = [replace(request, request_id=key) for key, request in distinct.items()]
        self._on_answers(self._done)
        self.asked += len(waiting)
        for pack in self._packs(todo, frozenset(distinct) - frozenset(waiting)):
            self._done += sum(len(waiting[key]) for key in pack)
            self._on_answers(self._done)
            for key, answer in pack.items():
                for request_id in waiting[key]:
                    yield request_id, answer
        self._settled.update(distinct)
        n_silent = sum(key not in self._known for key in waiting)
        if n_silent:
            raise BackendError(
                f"The backend left {n_silent} of {len(waiting)} requests without an answer or a failure."
            )

    def _packs(self, requests: list[Request], done: frozenset[str]) -> Iterator[dict[str, Answer]]:
        """The backend's answers in packs that stand in the journal; an interruption keeps what has come so far."""
        if len(requests) == len(done):
            return
        pack: dict[str, Answer] = {}
        started = time.monotonic()
        try:
            for key, answer in self._asked(requests, done):
                pack[key] = answer
                if len(pack) >= PACK_SIZE or time.monotonic() - started >= PACK_SECONDS:
                    full, pack = pack, {}
                    yield self._committed(full)
                    started = time.monotonic()
        finally:
            self._committed(pack)
        if pack:
            yield pack

    def _asked(self, requests: list[Request], done: frozenset[str]) -> Iterator[tuple[str, Answer]]:
        """Asked again with what an earlier attempt answered, where the backend can make the same passes of it."""
        if not isinstance(self._backend, PlanningBackend):
            return self._backend.answer([one for one in requests if one.request_id not in done])
        if (plan := self._writer.scoring_plan()) is not None:
            self._backend.follow(plan)
        return self._backend.answer(requests, done=done)

    def _committed(self, pack: dict[str, Answer]) -> dict[str, Answer]:
        if isinstance(self._backend, PlanningBackend) and (plan := self._backend.scoring_plan()) is not None:
            self._writer.keep_scoring_plan(plan)
        self._writer.commit_pack(pack)
        self._known.update(pack)
        return pack
