"""Compare a candidate's runs with a baseline's: effects, flips, error classes, and what makes them incomparable."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from harness.comparison.effects import Effect, effect_of, levels_of
from harness.comparison.errors import ClassShare, class_shares
from harness.comparison.flips import Flip, flips
from harness.comparison.pairing import Difference, SuitePairs, pair_suite, run_differences, shared_suites
from harness.core.errors import EmptyComparison, UsageError
from harness.store import StoredRun

Runs = StoredRun | Sequence[StoredRun]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two sides say of the same variants.

    Args:
        baseline: Runs of the baseline, one or more (seeds, replicates).
        candidate: Runs of the candidate.
        suites: Comparable variants per suite.
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


def side(runs: Runs) -> tuple[StoredRun, ...]:
    """One run or several as a tuple of at least one."""
    chosen = (runs,) if isinstance(runs, StoredRun) else tuple(runs)
    if not chosen:
        raise UsageError("A side of a comparison needs at least one run.")
    return chosen


def compare(
    baseline: Runs,
    candidate: Runs,
    *,
    suites: Collection[str] | None = None,
    ignore: Collection[str] = (),
    details: bool = True,
) -> Comparison:
    """Compare two sides, paired by the content of what was asked.

    Args:
        baseline: A stored run, or several of one side.
        candidate: The same of the other side.
        suites: Only these suites.
        ignore: Kinds of difference that shall be shown but not exclude items: "template", "generation", "reading".
        details: Whether flips and error classes are worked out too.

    Raises:
        EmptyComparison: If no variant may be compared; the message says why.
    """
    before, after = side(baseline), side(candidate)
    names = shared_suites(before, after)
    if suites is not None:
        names = [name for name in names if name in suites]
    differences = run_differences(before, after)
    paired: list[SuitePairs] = []
    for name in names:
        pairs, found = pair_suite(before, after, name, ignore=frozenset(ignore))
        differences.extend(found)
        paired.append(pairs)
    if not any(pairs.n_shared for pairs in paired):
        reasons = " ".join(f"[{d.suite or 'all'}] {d.message}" for d in differences if d.kind != "version")
        raise EmptyComparison(
            f"Nothing to compare between {_named(before)} and {_named(after)}: no shared variant may be compared. "
            + (reasons or "They ran no suite in common.")
        )
    effects = [
        effect_of(pairs, metric, where)
        for pairs in paired
        if pairs.n_shared
        for metric in pairs.metrics
        for where in levels_of(pairs.scores)
        # Each effect of a corpus metric is a thousand resamples: only the coarse slices get one.
        if not metric.corpus or (where.position is None and where.level is None)
    ]
    return Comparison(
        baseline=before,
        candidate=after,
        suites=tuple(paired),
        differences=tuple(differences),
        effects=tuple(effects),
        flips=tuple(flip for pairs in paired for flip in flips(pairs)) if details else (),
        classes=tuple(share for pairs in paired for share in class_shares(before, after, pairs))
        if details
        else (),
    )


def _named(runs: tuple[StoredRun, ...]) -> str:
    return ", ".join(f"{run.manifest.checkpoint.name} ({run.run_id})" for run in runs)
