"""Repeats of a run whose only difference is how the numbers are computed: what they measure is noise."""

from __future__ import annotations

from dataclasses import replace

from harness.core.errors import UsageError
from harness.evaluation.settings import EvaluationSettings

BATCH_TOKENS = (512, 4096, 128, 16384)
"""Budgets that the repeats take in turn, far enough apart that other passes come of each."""


def replicate_settings(settings: EvaluationSettings, n_replicates: int) -> tuple[EvaluationSettings, ...]:
    """The settings of a run and of its repeats: other batch shapes, every second one scored the plain way.

    Args:
        settings: Of the first.
        n_replicates: How many runs in all, >= 1.

    Example:
        >>> [(each.replicate, each.batch_tokens) for each in replicate_settings(EvaluationSettings(), 3)]
        [(0, None), (1, 512), (2, 4096)]
    """
    if n_replicates < 1:
        raise UsageError(f"There is at least one run, got {n_replicates} replicates.")
    repeats = [
        replace(
            settings,
            replicate=settings.replicate + number,
            batch_tokens=BATCH_TOKENS[(number - 1) % len(BATCH_TOKENS)],
            scoring="plain" if number % 2 else settings.scoring,
        )
        for number in range(1, n_replicates)
    ]
    return (settings, *repeats)
