"""The harness's side: the work as requests to the backend of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scoring_work.work import Question, Work
from harness.core.errors import MeasurementError
from harness.core.exchange import (
    BackendFailure,
    Choose,
    Chosen,
    Generate,
    Generated,
    GenerationSettings,
    Request,
    ScoreText,
    TextScored,
)

if TYPE_CHECKING:
    from harness.engine import LocalBackend

Answer = tuple[float, ...] | str  # log-likelihoods of the options (or of the text), or the text written


def our_backend(folder: Path, *, device: str, dtype: str, batch_tokens: int | None = None) -> LocalBackend:
    """A backend whose weights are loaded and whose model has been called once."""
    from harness.engine import LocalBackend, open_checkpoint

    backend = LocalBackend(open_checkpoint(folder, device=device, dtype=dtype), batch_tokens=batch_tokens)
    list(backend.answer([ScoreText("warm-up", "t5 t6 t7 t8 t9 t10 t11")]))
    return backend


def requests_of(work: Work) -> list[Request]:
    """One request per question, named by its place."""
    return [_request(work, str(place), question) for place, question in enumerate(work.questions)]


def _request(work: Work, name: str, question: Question) -> Request:
    if work.kind == "choose":
        return Choose(name, question.prompt, question.options)
    if work.kind == "text":
        return ScoreText(name, question.prompt)
    return Generate(name, question.prompt, GenerationSettings(max_tokens=work.max_tokens, stop=(work.stop,)))


def our_answers(backend: LocalBackend, work: Work) -> list[Answer]:
    """One answer per question, in order.

    Raises:
        MeasurementError: If a request failed.
    """
    return answers_in_order(work, list(backend.answer(requests_of(work))))


def answers_in_order(work: Work, answered: Sequence[tuple[str, object]]) -> list[Answer]:
    """What the backend said, by question.

    Raises:
        MeasurementError: If a request failed.
    """
    by_name = dict(answered)
    return [_answer(work, by_name[str(place)]) for place in range(len(work.questions))]


def _answer(work: Work, answer: object) -> Answer:
    if isinstance(answer, Chosen):
        return tuple(option.logprob_nats for option in answer.options)
    if isinstance(answer, TextScored):
        return (answer.logprob_nats,)
    if isinstance(answer, Generated):
        return answer.generations[0].text.strip()
    reason = answer.message if isinstance(answer, BackendFailure) else f"no answer but {answer!r}"
    raise MeasurementError(f"{work.name}: {reason}")
