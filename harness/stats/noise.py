"""What numbers alone can do: the same model in other batch shapes or number formats, and the flips that makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """How far repeats of one checkpoint lie apart.

    Attributes:
        n_values: Compared values.
        n_replicates: Repeats of each.
        nats: The largest distance between two repeats of one value.
        typical_nats: The median over values of that distance.
        flip_share: Share of values whose sign was not the same in all repeats.
    """

    n_values: int
    n_replicates: int
    nats: float
    typical_nats: float
    flip_share: float


def noise_floor(margins: ArrayLike) -> NoiseFloor:
    """The floor of margins measured several times.

    Args:
        margins: By how much the right option leads the best other one, in nats; shape (values, replicates).

    Raises:
        UsageError: Without values, or with fewer than two replicates.

    Example:
        >>> noise_floor([[0.5, 0.53], [0.02, -0.01]]).nats, noise_floor([[0.5, 0.53], [0.02, -0.01]]).flip_share
        (0.030000000000000027, 0.5)
    """
    array = np.asarray(margins, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 2 or not np.isfinite(array).all():
        raise UsageError(
            f"A noise floor needs finite margins of shape (values, at least 2 replicates), got {array.shape}."
        )
    spread = array.max(axis=1) - array.min(axis=1)
    has_flipped = (array > 0).any(axis=1) & (array <= 0).any(axis=1)
    return NoiseFloor(
        n_values=array.shape[0],
        n_replicates=array.shape[1],
        nats=float(spread.max()),
        typical_nats=float(np.median(spread)),
        flip_share=float(has_flipped.mean()),
    )


def is_within_noise(baseline_margin: float, candidate_margin: float, *, floor_nats: float) -> bool:
    """Whether a flip could be undone by noise on either side: a tie, not a regression.

    Args:
        baseline_margin: By how much the right option led (negative: trailed) in the baseline, in nats.
        candidate_margin: The same in the candidate.
        floor_nats: The floor.

    Example:
        >>> is_within_noise(2.0, -0.01, floor_nats=0.03), is_within_noise(2.0, -1.5, floor_nats=0.03)
        (True, False)
    """
    return min(abs(baseline_margin), abs(candidate_margin)) <= floor_nats
