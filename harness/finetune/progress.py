"""How far a training is, told as it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepDone:
    """One report of a training.

    Args:
        stage: Its number, from 1.
        n_stages: How many there are.
        step: Steps done of the stage.
        n_steps: Steps of the stage.
        loss: The objective's mean over the steps since the last report.
        nats_per_token_loss: Mean negative log-likelihood of the learned tokens, without label smoothing.
        tokens_per_second: Padded tokens read.
        seconds_left: Of the stage, at its pace so far.
    """

    stage: int
    n_stages: int
    step: int
    n_steps: int
    loss: float | None
    nats_per_token_loss: float | None
    tokens_per_second: float
    seconds_left: float


Progress = Callable[[StepDone], None]


def silent(done: StepDone) -> None:
    """Tells nothing."""
