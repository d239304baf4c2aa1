"""Two checkpoints on the same variants: what differs, by how much, and which items flipped."""

from harness.comparison.compare import Comparison, compare
from harness.comparison.differences import Difference
from harness.comparison.effects import Effect, Slice
from harness.comparison.flips import Flip
from harness.comparison.pairing import Pairing, SuitePairs, pair_runs

__all__ = [
    "Comparison",
    "Difference",
    "Effect",
    "Flip",
    "Pairing",
    "Slice",
    "SuitePairs",
    "compare",
    "pair_runs",
]
