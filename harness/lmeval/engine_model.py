"""Our engine as an ordinary lm-eval model, named `harness`: any lm-eval task, the numbers of `hf`.

Imports lm-eval and torch's users: loaded by lm-eval's registry when the model is first asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM, TemplateLM
from tqdm import tqdm

from harness.core.digest import digest
from harness.core.errors import BackendError, TaskError
from harness.core.exchange import (
    Answer,
    Backend,
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    Generated,
    Request,
    ScoreText,
    TextScored,
)
from harness.engine import Checkpoint, LocalBackend
from harness.lmeval.model_arguments import (
    ModelArguments,
    model_arguments,
    opened_for,
    unlike_hf,
)
from harness.lmeval.requests import generation_settings

logger = logging.getLogger(__name__)


class EngineModel(LM):
    """A checkpoint on the engine, with lm-eval's three calls.

    Each call hands the backend everything at once, so that shared prefixes are shared over all tasks. What
    fails is never answered: the rest is finished and, with `--use_cache`, kept, and then the call raises.

    Args:
        given: `ModelArguments` by name, and what only `hf` needs, which is left aside.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__()
        arguments = model_arguments(given)
        checkpoint = opened_for(arguments)
        for sentence in (*unlike_hf(checkpoint), *checkpoint.warnings):
            logger.warning(sentence)
        self._compose(
            arguments,
            checkpoint,
            LocalBackend(checkpoint, batch_tokens=arguments.batch_tokens, too_long="lm-eval"),
        )

    def _compose(self, arguments: ModelArguments, checkpoint: Checkpoint, backend: Backend) -> None:
        import torch

        self.arguments = arguments
        self.checkpoint = checkpoint
        self.backend = backend
        self.tokenizer = checkpoint.tokenizer
        # lm-eval seeds torch with its --seed before it makes the model: sampling here follows the same number.
        self._seed = int(torch.initial_seed())
        self._device = checkpoint.device

    @classmethod
    def over(
        cls, checkpoint: Checkpoint, backend: Backend, *, arguments: ModelArguments | None = None
    ) -> EngineModel:
        """The model over a checkpoint that is open already and whatever answers for it."""
        model = cls.__new__(cls)
        LM.__init__(model)
        model._compose(arguments or ModelArguments(str(checkpoint.location.path)), checkpoint, backend)
        return model

    @classmethod
    def create_from_arg_obj(
        cls, arg_dict: dict[str, Any], additional_config: dict[str, Any] | None = None
    ) -> EngineModel:
        """lm-eval's constructor; what `--model_args` says wins over the command's own options."""
        added = {name: value for name, value in (additional_config or {}).items() if value is not None}
        return cls(**{**added, **arg_dict})

    def loglikelihood(
        self, requests: Sequence[Instance], *, disable_tqdm: bool = False
    ) -> list[tuple[float, bool]]:
        """(log-likelihood in nats, whether greedy decoding gives it) of each (context, continuation)."""
        by_context: dict[str, dict[str, list[int]]] = {}
        for place, instance in enumerate(requests):
            context, continuation = _texts(instance, 2)
            by_context.setdefault(context, {}).setdefault(continuation, []).append(place)
        asked: list[Request] = [
            Choose(str(number), context, tuple(options))
            for number, (context, options) in enumerate(by_context.items())
        ]
        contexts = list(by_context)
        found: list[tuple[float, bool] | None] = [None] * len(requests)

        def keep(request_id: str, answer: Answer) -> int:
            assert isinstance(answer, Chosen)
            context = contexts[int(request_id)]
            places = by_context[context]
            for option, continuation in zip(answer.options, places, strict=True):
                pair = (option.logprob_nats, option.is_greedy)
                self.cache_hook.add_partial("loglikelihood", (context, continuation), pair)
                for place in places[continuation]:
                    found[place] = pair
            return sum(map(len, places.values()))

        self._ask(asked, keep, total=len(requests), kind="loglikelihood", silent=disable_tqdm)
        return _complete(found)

    def loglikelihood_rolling(
        self, requests: Sequence[Instance], *, disable_tqdm: bool = False
    ) -> list[float]:
        """Log-likelihood in nats of each whole text."""
        by_text: dict[str, list[int]] = {}
        for place, instance in enumerate(requests):
            by_text.setdefault(_texts(instance, 1)[0], []).append(place)
        texts = list(by_text)
        found: list[float | None] = [None] * len(requests)

        def keep(request_id: str, answer: Answer) -> int:
            assert isinstance(answer, TextScored)
            text = texts[int(request_id)]
            self.cache_hook.add_partial("loglikelihood_rolling", (text,), answer.logprob_nats)
            for place in by_text[text]:
                found[place] = answer.logprob_nats
            return len(by_text[text])

        asked: list[Request] = [ScoreText(str(number), text) for number, text in enumerate(texts)]
        self._ask(asked, keep, total=len(requests), kind="loglikelihood_rolling", silent=disable_tqdm)
        return _complete(found)

    def generate_until(self, requests: Sequence[Instance], *, disable_tqdm: bool = False) -> list[str]:
        """The text after each context, up to the task's stop strings."""
        places: dict[str, list[int]] = {}
        own: dict[str, tuple[str, Mapping[str, Any], Instance]] = {}
        for place, instance in enumerate(requests):
            context, keywords = _opening(instance)
            # By content, so that a sampled text does not depend on what else is asked.
            key = digest("lm-eval/generate/1", context, _plain(keywords))
            places.setdefault(key, []).append(place)
            own.setdefault(key, (context, keywords, instance))
        asked: list[Request] = [
            self._generate(key, context, keywords, instance, len(places[key]))
            for key, (context, keywords, instance) in own.items()
        ]
        found: list[str | None] = [None] * len(requests)

        def keep(request_id: str, answer: Answer) -> int:
            assert isinstance(answer, Generated)
            context, keywords, _ = own[request_id]
            for place, generation in zip(places[request_id], answer.generations, strict=True):
                found[place] = text = self._answer_part(generation.text)
                self.cache_hook.add_partial("generate_until", (context, keywords), text)
            return len(places[request_id])

        self._ask(asked, keep, total=len(requests), kind="generate_until", silent=disable_tqdm)
        return _complete(found)

    def _generate(
        self, key: str, context: str, keywords: Mapping[str, Any], instance: Instance, n: int
    ) -> Generate:
        from dataclasses import replace

        task = instance.task_name or "generate_until"
        settings = generation_settings(task, keywords, seed=self._seed)
        end = self.tokenizer.eos_token
        stops = (*settings.stop, end) if end and end not in settings.stop else settings.stop
        return Generate(key, context, replace(settings, stop=stops), n)

    def _answer_part(self, text: str) -> str:
        marker = self.arguments.think_end_token
        return text.split(marker)[-1].lstrip() if marker else text

    def _ask(self, asked: list[Request], keep: Any, *, total: int, kind: str, silent: bool) -> None:
        """Hands over everything and keeps what comes; raises at the end if something failed."""
        failures: dict[str, BackendFailure] = {}
        with tqdm(total=total, desc=f"Running {kind} requests", disable=silent) as bar:
            for request_id, answer in self.backend.answer(asked):
                if isinstance(answer, BackendFailure):
                    failures[request_id] = answer
                else:
                    bar.update(keep(request_id, answer))
        if failures:
            first = next(iter(failures.values()))
            raise BackendError(
                f"{len(failures)} of {len(asked)} {kind} requests could not be answered; the first: "
                f"{first.kind}: {first.message} lm-eval knows no missing answers, so there are no results; with "
                "--use_cache the answered ones are kept."
            )

    def apply_chat_template(
        self,
        chat_history: list[dict[str, str]],
        add_generation_prompt: bool = True,  # noqa: FBT001, FBT002
    ) -> str:
        """The conversation as text, as `hf` renders it: without the system message where that is refused."""
        from jinja2 import TemplateError

        settings = {
            "tokenize": False,
            "add_generation_prompt": add_generation_prompt,
            "continue_final_message": not add_generation_prompt,
            **self.arguments.template_words,
        }
        try:
            return str(self.tokenizer.apply_chat_template(chat_history, **settings))
        except TemplateError:
            logger.warning("The chat template refuses the conversation; the system message is left out.")
            rest = [message for message in chat_history if message["role"] != "system"]
            return str(self.tokenizer.apply_chat_template(rest, **settings))

    def chat_template(self, chat_template: bool | str = False) -> str | None:  # noqa: FBT001, FBT002
        """The template's source, chosen by lm-eval's own rules."""
        return TemplateLM.chat_template(self, chat_template)

    @property
    def tokenizer_name(self) -> str:
        """What lm-eval keys its cached prompts by, as `hf` names it."""
        return str(self.tokenizer.name_or_path).replace("/", "__")

    @property
    def eot_token_id(self) -> int | None:
        """The token that ends a text."""
        return self.tokenizer.eos_token_id

    @property
    def max_length(self) -> int:
        """The context length in tokens."""
        return self.checkpoint.max_tokens

    @property
    def max_gen_toks(self) -> int:
        """New tokens where a task names no number; lm-eval's own default."""
        return 256

    def get_model_info(self) -> dict[str, object]:
        """What lm-eval writes of the model beside the results; the digests are of the files' content."""
        identity = self.checkpoint.identity
        return {
            "model_num_parameters": identity.n_parameters,
            "model_dtype": str(self.checkpoint.dtype),
            "model_revision": self.arguments.revision,
            "model_sha": "",
            "harness_checkpoint": identity.digest,
            "harness_engine": {
                name: fact for name, fact in self.backend.describe().items() if name != "truncated_ids"
            },
        }


def _texts(instance: Instance, count: int) -> tuple[str, ...]:
    """The texts of a call; images and sounds are refused."""
    if len(instance.args) != count or not all(isinstance(text, str) for text in instance.args):
        raise TaskError(
            f"Task '{instance.task_name}' asks with more than text; the model 'harness' reads text only."
        )
    return tuple(instance.args)


def _opening(instance: Instance) -> tuple[str, Mapping[str, Any]]:
    if len(instance.args) != 2 or not isinstance(instance.args[0], str):
        raise TaskError(
            f"Task '{instance.task_name}' asks with more than text; the model 'harness' reads text only."
        )
    context, keywords = instance.args
    if not isinstance(keywords, Mapping):
        raise TaskError(
            f"Task '{instance.task_name}': generation_kwargs must be a mapping, got {keywords!r}."
        )
    return context, keywords


def _plain(keywords: Mapping[str, Any]) -> list[list[str]]:
    return sorted([str(name), repr(value)] for name, value in keywords.items())


def _complete(found: Sequence[Any]) -> list[Any]:
    missing = sum(answer is None for answer in found)
    if missing:
        raise BackendError(
            f"The backend left {missing} of {len(found)} requests without an answer or a failure."
        )
    return list(found)
