"""Compare a candidate's runs with a baseline's: effects, flips, error classes, and what makes them incomparable."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from harness.comparison.differences import Difference
from harness.comparison.effects import Effect, effects_of
from harness.comparison.errors import ClassShare, class_shares, primary_classes
from harness.comparison.flips import Flip, flips
from harness.comparison.pairing import SuitePairs, pair_runs
from harness.comparison.sides import Runs
from harness.core.errors import EmptyComparison
from harness.store import StoredRun


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two sides say of the same variants.

    Args:
        baseline: Runs of the baseline, one or more (seeds, replicates).
        candidate: Runs of the candidate.
        suites: Every suite of either side; one that cannot be compared has no shared variant.
        differences: What else differs between the sides; some exclude variants.
        effects: Per suite, metric and slice, in the suites' order.
        flips: Items whose correctness changed, losses first.
        classes: Error classes' shares and how they moved.
    """

    baseline: tuple[StoredRun, ...]
    candidate: tuple[StoredRun, ...]
    suites: tuple[SuitePairs, ...]
    differences: tuple[Difference, ...]
    effects: tuple[Effect, ...]
    flips: tuple[Flip, ...]
    classes: tuple[ClassShare, ...]

    @property
    def is_same_checkpoint(self) -> bool:
        """Whether both sides ran the very same weights, adapter, tokenizer and template."""
        digests = {run.manifest.checkpoint.digest for run in (*self.baseline, *self.candidate)}
        return len(digests) == 1


def compare(
    baseline: Runs,
    candidate: Runs,
    *,
    suites: Collection[str] | None = None,
    ignore: Collection[str] = (),
) -> Comparison:
    """Compare two sides, paired by the content of what was asked.

    Args:
        baseline: A stored run, or several of one side.
        candidate: The same of the other side.
        suites: Only these suites.
        ignore: Kinds of difference that shall be shown but not exclude items: "template", "generation", "reading".

    Raises:
        UnknownName: If a named suite was run by neither side.
        UsageError: If a side has no run, or one twice.
        EmptyComparison: If no variant may be compared; the message says why.
    """
    paired = pair_runs(baseline, candidate, suites=suites, ignore=ignore)
    if paired.why_empty is not None:
        raise EmptyComparison(paired.why_empty)
    before, after = (primary_classes(runs[0]) for runs in (paired.baseline, paired.candidate))
    compared = [pairs for pairs in paired.suites if pairs.n_shared]
    return Comparison(
        baseline=paired.baseline,
        candidate=paired.candidate,
        suites=paired.suites,
        differences=paired.differences,
        effects=tuple(effect for pairs in compared for effect in effects_of(pairs)),
        flips=tuple(
            sorted((flip for pairs in compared for flip in flips(pairs)), key=lambda flip: flip.kind)
        ),
        classes=tuple(share for pairs in compared for share in class_shares(before, after, pairs)),
    )
