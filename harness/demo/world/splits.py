"""Which split a combination of words belongs to: training, treatment and test never share one."""

from __future__ import annotations

from functools import cache
from typing import Literal

from harness.core.rng import rng_for

Split = Literal["train", "test", "treatment"]
SPLITS: tuple[Split, ...] = ("train", "test", "treatment")
_TRAIN_SHARE, _TEST_SHARE = 0.7, 0.15
_SEED = 20260  # the split is part of the world, not of a run


@cache
def split_of(*combination: str) -> Split:
    """The one split of a combination, by its content.

    Example:
        >>> split_of("en", "lives", "Anna", "Lima") == split_of("en", "lives", "Anna", "Lima")
        True
    """
    draw = rng_for(_SEED, "split", *combination).random()
    if draw < _TRAIN_SHARE:
        return "train"
    return "test" if draw < _TRAIN_SHARE + _TEST_SHARE else "treatment"
