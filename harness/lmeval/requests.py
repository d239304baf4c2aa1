"""lm-eval's calls as requests to a backend, and the backend's answers as lm-eval's responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from harness.core.errors import BackendError, TaskError
from harness.core.exchange import (
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    Generated,
    GenerationSettings,
    Request,
    Response,
    ScoreText,
    TextScored,
)

DEFAULT_MAX_TOKENS = 256  # lm-eval's, where a task names none
MAX_TOKENS_KEYS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")  # its order
KNOWN_KEYS = frozenset({*MAX_TOKENS_KEYS, "until", "do_sample", "temperature", "top_p"})
# Settings a backend does not take, with the values that change nothing.
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "num_beams": (1,),
    "repetition_penalty": (1, 1.0),
    "num_return_sequences": (1,),
    "use_cache": (True, False),
    "min_p": (0, 0.0, None),
    "top_k": (0, -1, None),
    "seed": (None,),
}
ONLY_WHEN_SAMPLING = frozenset({"top_k", "min_p", "top_p", "temperature"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and the calls of its document that it answers, by their place."""

    request: Request
    calls: tuple[int, ...]


def generation_settings(
    task: str, given: Mapping[str, Any], *, seed: int = 0, is_logged: bool = False
) -> GenerationSettings:
    """What a task says of generation, with lm-eval's defaults and precedence.

    Args:
        task: Its name, for messages.
        given: Its `generation_kwargs`.
        seed: Of sampled text.
        is_logged: Whether the text is there already, so that nothing is refused.

    Raises:
        TaskError: If it asks for something that would change the text and that no backend here does.

    Example:
        >>> generation_settings("t", {"until": "\\n", "do_sample": False, "temperature": 0.7})
        GenerationSettings(max_tokens=256, stop=('\\n',), temperature=0.0, top_p=1.0, seed=0)
    """
    named = [given[key] for key in MAX_TOKENS_KEYS if given.get(key) is not None]
    stops = given.get("until") or ()
    stops = [stops] if isinstance(stops, str) else stops
    temperature = given.get("temperature")
    do_sample = given.get("do_sample")
    if do_sample is None:
        do_sample = bool(temperature)
    if do_sample and temperature is None:
        temperature = 1.0
    for key in sorted(set(given) - KNOWN_KEYS):
        is_inert = not do_sample and key in ONLY_WHEN_SAMPLING
        if not is_logged and not is_inert and given[key] not in NEUTRAL.get(key, ()):
            raise TaskError(
                f"Task '{task}' generates with {key}={given[key]!r}, which cannot be asked of a checkpoint here; "
                f"understood are {', '.join(sorted(KNOWN_KEYS))}."
            )
    top_p = given.get("top_p")
    return GenerationSettings(
        max_tokens=int(named[0]) if named else DEFAULT_MAX_TOKENS,
        stop=tuple(str(stop) for stop in stops if stop),
        temperature=float(temperature or 0.0) if do_sample else 0.0,
        top_p=1.0 if top_p is None or not do_sample else float(top_p),
        seed=seed,
    )


def generation_json(settings: GenerationSettings) -> dict[str, object]:
    """The settings as a manifest keeps them, in the words suites use."""
    return {
        "max_tokens": settings.max_tokens,
        "stop": list(settings.stop),
        "temperature": settings.temperature,
        "top_p": settings.top_p,
    }


def requests_of(place: str, instances: Sequence[Any], *, seed: int = 0) -> tuple[Asked, ...]:
    """The requests that one document's instances make.

    Options of one context go together, so that an engine reads the context once.

    Args:
        place: Unique beginning of the request ids, "task/doc_id".
        instances: lm-eval's `Instance`s of one document, in order of their `idx`.
        seed: Of sampled generation.
    """
    asked: list[Asked] = []
    by_context: dict[str, list[int]] = {}
    for number, instance in enumerate(instances):
        kind = instance.request_type
        if kind == "loglikelihood":
            by_context.setdefault(instance.args[0], []).append(number)
        elif kind == "loglikelihood_rolling":
            asked.append(Asked(ScoreText(f"{place}/{number}", instance.args[0]), (number,)))
        elif kind == "generate_until":
            settings = generation_settings(instance.task_name, instance.args[1], seed=seed)
            repeats = instance.repeats if settings.temperature > 0 else 1
            request = Generate(f"{place}/{number}", instance.args[0], settings, repeats)
            asked.append(Asked(request, (number,)))
        else:
            raise TaskError(f"Task '{instance.task_name}' makes calls of the unknown type '{kind}'.")
    for context, numbers in by_context.items():
        options = tuple(instances[number].args[1] for number in numbers)
        asked.append(Asked(Choose(f"{place}/{numbers[0]}", context, options), tuple(numbers)))
    return tuple(asked)


def responses_of(asked: Asked, answer: Response, *, repeats: int) -> tuple[list[Any], ...]:
    """Per call the list of `repeats` responses that lm-eval's filters expect."""
    if isinstance(answer, Chosen):
        _check(asked, len(answer.options) == len(asked.calls), f"{len(answer.options)} option scores")
        pairs = [(option.logprob_nats, option.is_greedy) for option in answer.options]
        return tuple([pair] * repeats for pair in pairs)
    if isinstance(answer, TextScored):
        _check(asked, isinstance(asked.request, ScoreText), "a text's score")
        return ([answer.logprob_nats] * repeats,)
    if isinstance(answer, Generated):
        texts = [generation.text for generation in answer.generations]
        _check(
            asked, isinstance(asked.request, Generate) and len(texts) in (1, repeats), f"{len(texts)} texts"
        )
        # Greedy text is the same every time, so it was asked for once.
        return (texts * repeats if len(texts) < repeats else texts,)
    assert_never(answer)


def _check(asked: Asked, holds: object, came: str) -> None:
    if not holds:
        raise BackendError(
            f"Request '{asked.request.request_id}' ({type(asked.request).__name__}, {len(asked.calls)} calls) was "
            f"answered by {came}; the backend breaks its contract."
        )


def failure_text(failure: BackendFailure) -> str:
    """The failure as the outputs keep it."""
    return f"{failure.kind}: {failure.message}"
