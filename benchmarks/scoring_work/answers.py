"""Whether both sides said the same: log-likelihoods within the tolerance, choices, texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.scoring_work.our_side import Answer


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two sides' answers to the same questions differ.

    Args:
        max_abs_diff_nats: Largest difference of a log-likelihood; None for texts.
        n_outside: Log-likelihoods outside the tolerance; None for texts.
        changed_choices: Questions whose likeliest option (or whose text) differs.
        changed_beyond_margin: Those of them that rounding does not explain: the margin is wider than twice the
            tolerance.
    """

    max_abs_diff_nats: float | None
    n_outside: int | None
    changed_choices: int
    changed_beyond_margin: int


def tolerance_nats(logprob_nats: float) -> float:
    """By how much a log-likelihood may differ in fp32: max(1e-4, 1e-6 |ll|).

    Example:
        >>> tolerance_nats(-5.0), tolerance_nats(-5000.0)
        (0.0001, 0.005)
    """
    return max(1e-4, 1e-6 * abs(logprob_nats))


def agreement(ours: Sequence[Answer], theirs: Sequence[Answer]) -> Agreement:
    """Compares answers to the same questions, in the same order; `theirs` is the reference."""
    if any(isinstance(answer, str) for answer in theirs):
        changed = sum(one != other for one, other in zip(ours, theirs, strict=True))
        return Agreement(None, None, changed, changed)
    diffs, n_outside, changed, beyond = [0.0], 0, 0, 0
    for one, other in zip(ours, theirs, strict=True):
        assert not isinstance(one, str) and not isinstance(other, str)
        pairs = list(zip(one, other, strict=True))
        diffs += [abs(a - b) for a, b in pairs]
        n_outside += sum(abs(a - b) > tolerance_nats(b) for a, b in pairs)
        chosen, reference = one.index(max(one)), other.index(max(other))
        if chosen != reference:
            changed += 1
            margin = other[reference] - other[chosen]
            beyond += margin > 2 * tolerance_nats(other[reference])
    return Agreement(max(diffs), n_outside, changed, beyond)
