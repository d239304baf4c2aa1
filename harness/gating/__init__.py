"""Judge a comparison by a policy: pass, fail or inconclusive, with the reason of each."""

from harness.gating.gate import gate
from harness.gating.verdict import Judgement, Status, Verdict

__all__ = ["Judgement", "Status", "Verdict", "gate"]
