"""The backend of a model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, a hosted service."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from time import perf_counter
from typing import Any, assert_never

from harness.backends.http_calls import HttpCalls
from harness.backends.rate_limits import Backoff, RateLimit
from harness.backends.served_model import ServedModel, served_model
from harness.backends.server_answers import (
    NO_LOGPROBS,
    REMAINING,
    generation_of,
    prompt_tokens,
    scored_part,
)
from harness.backends.server_prompts import PlainPrompts, ServerPrompts
from harness.backends.server_settings import ServerSettings
from harness.core.digest import digest
from harness.core.errors import UsageError
from harness.core.exchange import (
    Answer,
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    Generated,
    Generation,
    OptionScore,
    Request,
    ScoreText,
    TextScored,
)

IDENTITY_NOTE = (
    "Known by what the server says of itself; the weights were not seen. Give --backend-args revision=WORD where "
    "other weights come to stand behind the same address and name."
)
_Reply = dict[str, Any] | BackendFailure


class ServedBackend:
    """Answers requests by calls to a server (`core.exchange.Backend`); made by `open_served`.

    Every call is repeated where that may help. What then fails is a `BackendFailure` of its own request: `server`,
    `timeout`, `rate_limited`, `refused` (the server will not take this request), `no_logprobs`.
    """

    def __init__(
        self, settings: ServerSettings, model: ServedModel, calls: HttpCalls, prompts: ServerPrompts
    ) -> None:
        self._settings = settings
        self._model = model
        self._calls = calls
        self._prompts = prompts

    @property
    def checkpoint(self) -> str:
        """The digest that stands for the checkpoint's."""
        return digest(
            "served/1",
            self._settings.url,
            self._settings.api,
            self._settings.revision,
            self._model.name,
            [list(fact) for fact in self._model.reported],
            self._prompts.identity,
        )

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """Answers as they come, `concurrent` requests under way at a time.

        Raises:
            UsageError: If two requests share an id.
        """
        ids = {request.request_id for request in requests}
        if len(ids) < len(requests):
            raise UsageError(f"{len(requests)} requests have {len(ids)} ids; ids must be unique.")
        return self._answers(requests)

    def describe(self) -> dict[str, object]:
        """JSON-able record of what answers and how it was asked; no key stands in it."""
        return {
            "kind": "served",
            "checkpoint": self.checkpoint,
            "name": self._model.name,
            "url": self._settings.url,
            "api": self._settings.api,
            "revision": self._settings.revision,
            "reported": dict(self._model.reported),
            "identity": IDENTITY_NOTE,
            "dtype": None,
            "template": self._template(),
            "max_tokens": self._model.max_length,
            "concurrent": self._settings.concurrent,
            "requests_per_minute": self._settings.requests_per_minute,
            "calls": self._calls.sent,
            "repeated_calls": self._calls.repeated,
            "notes": [IDENTITY_NOTE],
        }

    def _template(self) -> dict[str, object]:
        if self._settings.api == "chat":
            return {"kind": "chat", "digest": None, "by": "server"}
        return self._prompts.template_facts()

    def _answers(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """Few requests wait in the pool, so that a run that is broken off ends soon."""
        waiting = iter(requests)
        running: dict[Future[Answer], str] = {}
        pool = ThreadPoolExecutor(self._settings.concurrent, thread_name_prefix="served")
        try:
            while True:
                room = 2 * self._settings.concurrent - len(running)
                for request in islice(waiting, room):
                    running[pool.submit(self._answered, request)] = request.request_id
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        except BaseException:
            self._calls.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _answered(self, request: Request) -> Answer:
        started = perf_counter()
        if isinstance(request, Generate):
            return self._generated(request, started)
        if self._settings.api == "chat":
            return BackendFailure(
                NO_LOGPROBS,
                f"Request {request.request_id}: the chat API gives no log-probabilities of a text that is put to it. "
                f"{REMAINING} Where the server has completions with echo, use --backend-args api=completions.",
            )
        if isinstance(request, Choose):
            return self._chosen(request, started)
        if isinstance(request, ScoreText):
            return self._text_scored(request, started)
        assert_never(request)

    def _chosen(self, request: Choose, started: float) -> Answer:
        place = f"Request {request.request_id}"
        if not request.options:
            return BackendFailure("nothing_to_score", f"{place}: it has no options.")
        parts = self._prompts.pairs(request.prompt, request.options)
        if isinstance(parts, BackendFailure):
            return parts
        if parts.before_tokens is None:
            # The server's own tokenizer decides where the prompt ends: exactly lm-eval's rule, at one call more.
            reply = self._calls.call(
                "/completions", self._body(parts.before, max_tokens=1), name=f"{place}/before"
            )
            if isinstance(reply, BackendFailure):
                return reply
            starts: list[int | None] = [prompt_tokens(reply)] * len(request.options)
        else:
            starts = [*parts.before_tokens]
        scores: list[OptionScore] = []
        for slot, (whole, start) in enumerate(zip(parts.wholes, starts, strict=True)):
            end = None if isinstance(whole, str) else len(whole)
            score = self._scored(whole, start, end, place=f"{place}/{slot}")
            if isinstance(score, BackendFailure):
                return score
            scores.append(score)
        return Chosen(tuple(scores), starts[0] or 0, perf_counter() - started)

    def _text_scored(self, request: ScoreText, started: float) -> Answer:
        place = f"Request {request.request_id}"
        windows = self._prompts.windows(request.text, self._model.max_length)
        if isinstance(windows, BackendFailure):
            return BackendFailure(windows.kind, f"{place}: {windows.message}")
        total, tokens = 0.0, 0
        for number, (whole, start) in enumerate(windows):
            score = self._scored(whole, start, len(whole), place=f"{place}/{number}")
            if isinstance(score, BackendFailure):
                return score
            total, tokens = total + score.logprob_nats, tokens + score.tokens
        return TextScored(total, tokens, perf_counter() - started)

    def _scored(
        self, whole: str | list[int], start: int | None, end: int | None, *, place: str
    ) -> OptionScore | BackendFailure:
        body = self._body(whole, max_tokens=1) | {"logprobs": 1, "echo": True}
        reply = self._calls.call("/completions", body, name=place)
        if isinstance(reply, BackendFailure):
            return reply
        return scored_part(reply, start=start, end=end, place=place)

    def _generated(self, request: Generate, started: float) -> Answer:
        """One call a sample: its tokens are then counted apart, and every server can do it."""
        place = f"Request {request.request_id}"
        settings = request.settings
        samples = request.n if settings.temperature > 0 else 1
        texts: list[Generation] = []
        read = 0
        for sample in range(samples):
            reply = self._continued(request, sample, name=f"{place}/{sample}")
            if isinstance(reply, BackendFailure):
                return reply
            text = generation_of(
                reply, stops=settings.stop, is_chat=self._settings.api == "chat", place=place
            )
            if isinstance(text, BackendFailure):
                return text
            texts.append(text)
            read = prompt_tokens(reply) or 0
        return Generated(tuple(texts * (request.n // samples)), read, perf_counter() - started)

    def _continued(self, request: Generate, sample: int, *, name: str) -> _Reply:
        settings = request.settings
        told: dict[str, Any] = {"stop": list(settings.stop[:4])} if settings.stop else {}
        if settings.temperature > 0:
            seed = int(digest("served/seed/1", settings.seed, request.request_id, sample, length=7), 16)
            told |= {"temperature": settings.temperature, "top_p": settings.top_p, "seed": seed}
        if self._settings.api == "chat":
            messages = {
                "messages": self._prompts.messages(request.prompt),
                "model": self._model.name,
                "max_tokens": settings.max_tokens,
                "temperature": 0,
            }
            return self._calls.call("/chat/completions", messages | told, name=name)
        opening = self._prompts.opening(request.prompt)
        body = self._body(opening, max_tokens=settings.max_tokens) | told
        return self._calls.call("/completions", body, name=name)

    def _body(self, prompt: str | list[int], *, max_tokens: int) -> dict[str, Any]:
        return {"model": self._model.name, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0}


def open_served(
    name: str,
    settings: ServerSettings,
    *,
    chat_template: bool | None = None,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], float] | None = None,
) -> ServedBackend:
    """The backend of a model behind a server, after asking the server what it serves.

    Args:
        name: The model's name at the server.
        settings: Where the server is and how it is asked.
        chat_template: Whether the tokenizer's chat template is applied here; None: where it has one.
        environment: Where the key is looked up.
        clock: Seconds that only grow, for the rate limit.

    Raises:
        BackendError: If no server answers there.
        UsageError: If it refuses the key or does not know the model.
    """
    limit = RateLimit(settings.requests_per_minute, **({} if clock is None else {"clock": clock}))
    calls = HttpCalls(
        settings.url,
        key=environment.get(settings.key_env) or None,
        timeout=settings.timeout,
        backoff=Backoff(settings.retries, settings.first_wait, settings.longest_wait),
        limit=limit,
    )
    model = served_model(name, settings, calls)
    if settings.tokenizer is None:
        if chat_template and settings.api == "completions":
            raise UsageError(
                "A chat template can be applied here only with the model's tokenizer (--backend-args "
                "tokenizer=FOLDER); or let the server apply its own: api=chat."
            )
        return ServedBackend(settings, model, calls, PlainPrompts())
    from harness.backends.token_prompts import token_prompts

    prompts = token_prompts(settings.tokenizer, chat_template=chat_template)
    return ServedBackend(settings, model, calls, prompts)
