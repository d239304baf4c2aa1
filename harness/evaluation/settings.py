"""What a run is asked for: the settings that make its identity, and those that only say how it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.core.digest import digest
from harness.core.rows import SuiteRecord
from harness.prompting.wordings import RENDERER_VERSION

TooLong = Literal["fail", "skip", "truncate-left"]
SCORING_VERSION = 1  # raise when equal requests may score differently


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How a checkpoint is evaluated.

    Args:
        limit: Source items per suite, chosen by id, or None for all.
        smoke: Only each suite's quick subset.
        seed: Of the variants' random choices, and of sampled generation.
        too_long: What becomes of a prompt longer than the context.
        replicate: Number of the repeat of an otherwise equal run.
        batch_tokens: Token budget of a batch; None lets the engine choose. Not part of a run's identity.
        scoring: `auto` shares what requests have in common where that was proved on the model; `plain` reads each
            input whole. Equal within rounding, so not part of a run's identity.
        verify: So many random requests are scored again the plain way after the run. Not part of its identity.
        num_fewshot: For lm-eval tasks; None keeps the task's own.
        command: What starts this run again, told where it breaks off. Not part of a run's identity.
    """

    limit: int | None = None
    smoke: bool = False
    seed: int = 0
    too_long: TooLong = "fail"
    replicate: int = 0
    batch_tokens: int | None = None
    scoring: Literal["auto", "plain"] = "auto"
    verify: int = 0
    num_fewshot: int | None = None
    command: str | None = None

    def hashed(self) -> dict[str, Any]:
        """The part of the settings that belongs to the run's identity."""
        return {
            "limit": self.limit,
            "smoke": self.smoke,
            "seed": self.seed,
            "too_long": self.too_long,
            "replicate": self.replicate,
            "num_fewshot": self.num_fewshot,
            "renderer_version": RENDERER_VERSION,
            "scoring_version": SCORING_VERSION,
        }


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """How far a run is; passed to the caller's progress function after every pack."""

    done: int
    total: int
    stage: str = "answering"


Progress = Callable[[ProgressReport], None]


def run_id_of(checkpoint_digest: str, suites: Sequence[SuiteRecord], settings: Mapping[str, Any]) -> str:
    """The id of a run: equal checkpoint, suites (as asked and scored) and settings give the same run.

    Example:
        >>> run_id_of("c", [], {"seed": 0}) == run_id_of("c", [], {"seed": 1})
        False
    """
    parts = sorted(
        digest("asked/1", suite.digest, suite.asking, suite.primary, [fact.name for fact in suite.metrics])
        for suite in suites
    )
    return digest("run/1", checkpoint_digest, parts, dict(settings), length=16)
