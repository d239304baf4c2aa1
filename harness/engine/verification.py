"""Scores some of a run's real requests again the plain way, and says how far the run's own scores are from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from harness.core.errors import MeasurementError
from harness.core.exchange import Answer, Choose, Chosen, Request, ScoreText, TextScored
from harness.core.rng import rng_for
from harness.engine.checkpoint import Checkpoint
from harness.engine.local_backend import LocalBackend
from harness.engine.planning import TooLong
from harness.engine.tolerance import tolerance_nats


@dataclass(frozen=True, slots=True)
class Verification:
    """What scoring again found.

    Args:
        n_requests: How many requests were scored again.
        n_values: Log-likelihoods compared.
        largest_difference_nats: Between the run's and the plain way's; None without a value.
        changed_choices: Requests whose likeliest option differs; each within twice the tolerance, or
            the verification would have failed.
        near_ties: Requests whose two likeliest options are closer than twice the tolerance.
    """

    n_requests: int
    n_values: int
    largest_difference_nats: float | None
    changed_choices: int
    near_ties: int

    def to_json(self) -> dict[str, object]:
        """A JSON-able record."""
        return asdict(self)


def verified(
    checkpoint: Checkpoint,
    answered: Sequence[tuple[Request, Answer]],
    *,
    count: int,
    seed: int = 0,
    too_long: TooLong = "truncate-left",
) -> Verification:
    """Scores `count` random requests again, each input read whole, and compares.

    Args:
        checkpoint: What answered.
        answered: Requests with the run's answers; generations and failures are left out.
        count: How many; all, if there are no more.
        seed: Of the draw.
        too_long: The run's policy for long prompts.

    Raises:
        MeasurementError: If a log-likelihood differs by more than rounding explains, naming the request.
    """
    scored = [pair for pair in answered if isinstance(pair[1], Chosen | TextScored)]
    scored.sort(key=lambda pair: rng_for(seed, "verify", pair[0].request_id).random())
    chosen = {request.request_id: (request, answer) for request, answer in scored[:count]}
    plain = LocalBackend(checkpoint, too_long=too_long, scoring="plain")
    again = dict(plain.answer([request for request, _ in chosen.values()]))
    dtype = str(checkpoint.dtype).removeprefix("torch.")
    worst: float | None = None
    n_values = changed = near = 0
    for request_id, (request, answer) in chosen.items():
        found, expected = _nats(answer), _nats(again[request_id])
        if len(found) != len(expected):
            raise MeasurementError(
                f"Request {_named(request)}: scored again the plain way it has no finite score, but the run has one."
            )
        for one, other in zip(found, expected, strict=True):
            n_values += 1
            difference = abs(one - other)
            worst = difference if worst is None else max(worst, difference)
            if not difference <= tolerance_nats(dtype, other):
                raise MeasurementError(_too_far(request, one, other, tolerance_nats(dtype, other)))
        if isinstance(request, Choose) and len(found) > 1:
            top, second = sorted(expected, reverse=True)[:2]
            near += top - second <= 2 * tolerance_nats(dtype, top)
            changed += found.index(max(found)) != expected.index(max(expected))
    return Verification(len(chosen), n_values, worst, changed, near)


def _nats(answer: Answer) -> list[float]:
    if isinstance(answer, Chosen):
        return [option.logprob_nats for option in answer.options]
    return [answer.logprob_nats] if isinstance(answer, TextScored) else []


def _named(request: Request) -> str:
    text = request.text if isinstance(request, ScoreText) else str(request.prompt)
    return f"{request.request_id} ({text[-60:]!r})"


def _too_far(request: Request, found: float, expected: float, allowed: float) -> str:
    return (
        f"Request {_named(request)}: the run's log-likelihood {found:.6f} differs from the plain way's "
        f"{expected:.6f} by {abs(found - expected):.2g} nats, more than the {allowed:.2g} that rounding explains. "
        "Do not trust this run: remove it, run again with --scoring plain, and report the model's type."
    )
