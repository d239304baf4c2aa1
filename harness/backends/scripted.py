"""A backend that is a function: for tests, examples and baselines without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.core.digest import digest
from harness.core.errors import UsageError
from harness.core.exchange import (
    Answer,
    Choose,
    Chosen,
    Generate,
    Generated,
    Generation,
    OptionScore,
    Request,
    ScoreText,
)
from harness.core.naming import suggestion

# What a named option scores, and what the others do.
PICKED_NATS, OTHER_NATS = -0.1, -10.0

Script = Callable[[Request], Answer | str]


class ScriptedBackend:
    """Answers each request by calling a function (`core.exchange.Backend`).

    Args:
        function: Gives an answer, or a text: the generated text, or the option picked.
        name: Its identity: scripts of unequal behaviour need unequal names where runs are stored.

    Attributes:
        calls: How many requests were answered so far.
    """

    def __init__(self, function: Script, *, name: str = "scripted") -> None:
        self.calls = 0
        self._function = function
        self._name = name

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        """Answers in the order asked, one call each.

        Raises:
            UsageError: If the function names an option that is not there, or gives a text for a `ScoreText`.
        """
        for request in requests:
            self.calls += 1
            answer = self._function(request)
            yield request.request_id, answer_of(request, answer) if isinstance(answer, str) else answer

    def describe(self) -> dict[str, object]:
        """Kind, name and the digest that stands for a checkpoint's."""
        return {"kind": "scripted", "name": self._name, "checkpoint": digest("scripted/1", self._name)}


def scripted(function: Script, *, name: str = "scripted") -> ScriptedBackend:
    """A backend that answers by a function.

    Args:
        function: Gives an answer, or a text: the generated text, or the option picked.
        name: Its identity: scripts of unequal behaviour need unequal names where runs are stored.

    Example:
        >>> backend = scripted(lambda request: "B")
        >>> [(_, chosen)] = backend.answer([Choose("q1", "2 + 2?", ("A", "B"))])
        >>> [option.logprob_nats for option in chosen.options], backend.calls
        ([-10.0, -0.1], 1)
    """
    return ScriptedBackend(function, name=name)


def answer_of(request: Request, text: str) -> Answer:
    """The answer that a text stands for; a generated text counts one token a character.

    Raises:
        UsageError: If it names an option that is not there, or stands for no log-likelihood.
    """
    if isinstance(request, Generate):
        return Generated((Generation(text, "eos", len(text)),) * request.n)
    if isinstance(request, Choose):
        if text not in request.options:
            raise UsageError(
                f"The script picked '{text}' for request {request.request_id}, whose options are "
                f"{', '.join(request.options)}.{suggestion(text, request.options)}"
            )
        return Chosen(
            tuple(
                OptionScore(
                    PICKED_NATS if option == text else OTHER_NATS, max(1, len(option)), option == text
                )
                for option in request.options
            )
        )
    assert isinstance(request, ScoreText)
    raise UsageError(
        f"The script gave a text for the ScoreText request {request.request_id}; give a TextScored "
        "with its log-likelihood."
    )
