"""Any model that lm-eval knows as one of our backends: vllm, sglang, local-completions, openai-chat-completions ..."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

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
    PromptLike,
    Request,
    ScoreText,
    TextScored,
)
from harness.core.naming import unknown_name
from harness.core.visible import visible
from harness.prompting.render import plain_text

IDENTITY_NOTE = (
    "Known by lm-eval's name of the model and its arguments; the weights were not seen, and errors that lm-eval's "
    "model keeps to itself look like answers."
)
_SECRETS = frozenset({"auth_token", "header", "api_key", "token"})
_TOGETHER = 256  # requests handed over at once: a run that is broken off keeps what came before
_SHOWN = 300

Call = tuple[str, tuple[Any, ...]]  # lm-eval's name of the call and its arguments


class LmEvalBackend:
    """Answers requests by a model of lm-eval's (`core.exchange.Backend`); made by `lm_eval_backend`.

    Requests go over in packs. Where a pack breaks, its halves are asked, so that only the requests which break by
    themselves fail.

    Args:
        model: lm-eval's model.
        name: lm-eval's name of it.
        arguments: What it was made with.
        is_chat: Whether prompts go through its chat template.
    """

    def __init__(self, model: Any, *, name: str, arguments: Mapping[str, Any], is_chat: bool = False) -> None:
        self._model = model
        self._name = name
        self._arguments = dict(arguments)
        self._is_chat = is_chat

    @property
    def checkpoint(self) -> str:
        """The digest that stands for the checkpoint's: the model's name and arguments."""
        told = sorted([key, repr(value)] for key, value in self._arguments.items())
        return digest("lm-eval-model/1", self._name, told, self._is_chat)

    @property
    def shown_name(self) -> str:
        """What people call it."""
        own = self._arguments.get("model") or self._arguments.get("pretrained")
        return f"{self._name}:{own}" if own else self._name

    def describe(self) -> dict[str, object]:
        """JSON-able record of what answers."""
        return {
            "kind": "lm-eval",
            "checkpoint": self.checkpoint,
            "name": self.shown_name,
            "model": self._name,
            "arguments": {key: str(value) for key, value in sorted(self._arguments.items())},
            "identity": IDENTITY_NOTE,
            "dtype": None,
            "template": {"kind": "chat" if self._is_chat else "plain", "digest": None, "by": "lm-eval"},
            "notes": [IDENTITY_NOTE],
        }

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """Answers in the order asked.

        Raises:
            UsageError: If two requests share an id.
        """
        ids = {request.request_id for request in requests}
        if len(ids) < len(requests):
            raise UsageError(f"{len(requests)} requests have {len(ids)} ids; ids must be unique.")
        for start in range(0, len(requests), _TOGETHER):
            yield from self._pack(requests[start : start + _TOGETHER])

    def _pack(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        calls = {request.request_id: self._calls(request) for request in requests}
        for kind in ("loglikelihood", "loglikelihood_rolling", "generate_until"):
            own = [
                request
                for request in requests
                if calls[request.request_id] and calls[request.request_id][0][0] == kind
            ]
            if own:
                yield from self._answered(kind, own, calls)
        for request in requests:
            if not calls[request.request_id]:
                yield (
                    request.request_id,
                    BackendFailure("nothing_to_score", f"Request {request.request_id} has no options."),
                )

    def _answered(
        self, kind: str, requests: Sequence[Request], calls: Mapping[str, list[Call]]
    ) -> Iterator[tuple[str, Answer]]:
        """Asks all of them at once; halves where that breaks."""
        asked = [call for request in requests for call in calls[request.request_id]]
        found = self._asked(kind, asked)
        if isinstance(found, BackendFailure):
            if len(requests) == 1:
                yield requests[0].request_id, found
                return
            middle = len(requests) // 2
            yield from self._answered(kind, requests[:middle], calls)
            yield from self._answered(kind, requests[middle:], calls)
            return
        results = iter(found)
        for request in requests:
            own = [next(results) for _ in calls[request.request_id]]
            yield request.request_id, self._answer_of(request, own, calls[request.request_id])

    def _asked(self, kind: str, asked: Sequence[Call]) -> list[Any] | BackendFailure:
        from lm_eval.api.instance import Instance

        instances = [
            Instance(request_type=kind, doc={}, arguments=arguments, idx=0, metadata=("harness", place, 1))  # type: ignore[arg-type]
            for place, (_, arguments) in enumerate(asked)
        ]
        ask: Callable[[list[Any]], Sequence[Any]] = getattr(self._model, kind)
        try:
            found = list(ask(instances))
        except _foreign_errors() as error:
            reason = visible(str(error) or type(error).__name__)[:_SHOWN]
            timed_out = isinstance(error, TimeoutError) or "timed out" in reason.lower()
            return BackendFailure(
                "timeout" if timed_out else "server", f"lm-eval's model '{self._name}' failed: {reason}"
            )
        if len(found) != len(asked):
            return BackendFailure(
                "server", f"lm-eval's model '{self._name}' gave {len(found)} answers to {len(asked)} calls."
            )
        return found

    def _calls(self, request: Request) -> list[Call]:
        if isinstance(request, Choose):
            context = self._rendered(request.prompt)
            bare = isinstance(request.prompt, str) or self._is_chat
            joiner = "" if bare or isinstance(request.prompt, str) else request.prompt.joiner
            return [("loglikelihood", (context, joiner + option)) for option in request.options]
        if isinstance(request, ScoreText):
            return [("loglikelihood_rolling", (request.text,))]
        settings = request.settings
        told: dict[str, Any] = {"do_sample": settings.temperature > 0, "temperature": settings.temperature}
        if settings.temperature > 0 and settings.top_p < 1:
            told["top_p"] = settings.top_p
        return [
            (
                "generate_until",
                # Of its own for each call: lm-eval's models change what they are given.
                (
                    self._rendered(request.prompt),
                    {"until": list(settings.stop), "max_gen_toks": settings.max_tokens, **told},
                ),
            )
            for _ in range(request.n if settings.temperature > 0 else 1)
        ]

    def _rendered(self, prompt: PromptLike) -> Any:
        if not self._is_chat:
            return prompt if isinstance(prompt, str) else plain_text(prompt)
        if isinstance(prompt, str):
            return self._model.apply_chat_template([{"role": "user", "content": prompt}])
        messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
        return self._model.apply_chat_template(messages)

    def _answer_of(self, request: Request, results: Sequence[Any], calls: Sequence[Call]) -> Answer:
        place = f"Request {request.request_id}"
        if isinstance(request, Generate):
            if not all(isinstance(text, str) for text in results):
                return BackendFailure("server", f"{place}: lm-eval's model '{self._name}' gave no text.")
            texts = tuple(self._generation(text, request.settings.stop) for text in results)
            return Generated(texts * (request.n // len(texts)))
        if isinstance(request, ScoreText):
            value = results[0][0] if isinstance(results[0], tuple) else results[0]
            if not _is_number(value):
                return BackendFailure("server", f"{place}: expected a log-likelihood, got {value!r}.")
            return TextScored(float(value), self._count(request.text))
        options: list[OptionScore] = []
        for result, (_, arguments) in zip(results, calls, strict=True):
            tokens = self._continuation_tokens(*arguments)
            if tokens is None:
                return BackendFailure(
                    "no_token_counts",
                    f"{place}: lm-eval's model '{self._name}' has no tokenizer to count an option's tokens.",
                )
            if not isinstance(result, tuple) or not _is_number(result[0]):
                return BackendFailure("server", f"{place}: expected a log-likelihood, got {result!r}.")
            options.append(OptionScore(float(result[0]), tokens, bool(result[1])))
        return Chosen(tuple(options))

    def _generation(self, text: str, stops: Sequence[str]) -> Generation:
        cut = min((found for stop in stops if stop and (found := text.find(stop)) >= 0), default=None)
        kept = text if cut is None else text[:cut]
        return Generation(kept, "unknown", self._count(kept))

    def _count(self, text: str) -> int:
        """Tokens of a text, 0 where the model has no tokenizer here."""
        tokenizer = getattr(self._model, "tokenizer", None)
        encode = getattr(tokenizer, "encode", None)
        return len(encode(text)) if callable(encode) else 0

    def _continuation_tokens(self, context: str, continuation: str) -> int | None:
        """As many as lm-eval itself scored."""
        from lm_eval.api.model import TemplateLM

        if not isinstance(self._model, TemplateLM) or getattr(self._model, "tokenizer", None) is None:
            return None
        if context:
            return len(self._model._encode_pair(context, continuation)[1])
        ids = self._model.tok_encode(continuation, add_special_tokens=False)
        return len(ids) - (ids[:1] == [self._model.prefix_token_id])


def lm_eval_backend(
    name: str, pretrained: str, arguments: str = "", *, chat_template: bool | None = None
) -> LmEvalBackend:
    """The backend of a model that lm-eval knows.

    Args:
        name: lm-eval's name of it, e.g. `vllm`, `sglang`, `local-completions`.
        pretrained: The checkpoint, passed as `pretrained` unless the arguments name one.
        arguments: As in lm-eval's `--model_args`.
        chat_template: Whether prompts go through the model's chat template; None: for chat APIs.

    Raises:
        UnknownName: If lm-eval has no such model.
        UsageError: If its packages are missing, its arguments are wrong or hold a secret.
    """
    import lm_eval.models  # noqa: F401 - fills the registry
    from lm_eval.api.registry import model_registry
    from lm_eval.utils import simple_parse_args_string

    if name not in model_registry:
        raise unknown_name("lm-eval model", name, list(model_registry))
    told: dict[str, Any] = {"pretrained": pretrained, **simple_parse_args_string(arguments)}
    if "model" in told:
        del told["pretrained"]
    for secret in sorted(_SECRETS & told.keys()):
        raise UsageError(
            f"--backend-args {secret}: arguments are kept with the run; lm-eval reads keys from the environment "
            "(OPENAI_API_KEY)."
        )
    try:
        model = model_registry[name].create_from_arg_obj(dict(told), None)
    except _foreign_errors() as error:
        reason = visible(str(error) or type(error).__name__)[:_SHOWN]
        raise UsageError(f"lm-eval's model '{name}' cannot be made: {reason}") from error
    is_chat = "chat" in name if chat_template is None else chat_template
    return LmEvalBackend(model, name=name, arguments=told, is_chat=is_chat)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _foreign_errors() -> tuple[type[Exception], ...]:
    """What lm-eval's models raise when a system fails; KeyboardInterrupt and our own errors are not among them."""
    from importlib import import_module
    from importlib.util import find_spec

    found: list[type[Exception]] = [
        OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError,
        ImportError,
    ]  # fmt: skip
    for module, error in (("aiohttp", "ClientError"), ("tenacity", "RetryError")):
        if find_spec(module) is not None:
            found.append(getattr(import_module(module), error))
    return tuple(found)
