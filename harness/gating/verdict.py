"""The verdict: one record that the command line, pytest, the report and the dashboard all read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.comparison import Difference, Effect
from harness.policy import Rule

Status = Literal["pass", "fail", "inconclusive"]

EXIT_CODES: Mapping[Status, int] = {"pass": 0, "fail": 1, "inconclusive": 3}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule on one suite and slice.

    Args:
        rule: The rule.
        effect: What was measured.
        margin: The rule's margin in the metric's units; None where nothing was measured.
        status: pass, fail or inconclusive.
        reason: One sentence.
        harm_p: One-sided p value of "not worse", adjusted over the policy's blocking rules (Holm); advisory rules
            are adjusted among themselves.
        certify_p: One-sided p value of "worse by the margin or more".
        detectable: (assumed discordance, smallest loss found with 80 % power) pairs, for 0-1 metrics.
        items_needed: Source items with which an unchanged candidate would be certified; None where unknown.
        variants: (suite, variant id) of single answers that the judgement is about, where it is about single ones.
        against: What the candidate was compared with.
    """

    rule: Rule
    effect: Effect
    margin: float | None
    status: Status
    reason: str
    harm_p: float | None
    certify_p: float | None
    detectable: tuple[tuple[float, float | None], ...]
    items_needed: int | None
    variants: tuple[tuple[str, str], ...] = ()
    against: Literal["baseline", "anchor"] = "baseline"

    @property
    def is_blocking(self) -> bool:
        """Whether it can fail the build."""
        return self.rule.tier == "blocking"

    @property
    def title(self) -> str:
        """suite::metric::slice, as a test id shows it."""
        title = f"{self.effect.suite}::{self.effect.metric}::{self.effect.slice.title}"
        return title if self.against == "baseline" else f"{title}::against the anchor"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says.

    Args:
        status: pass only if every blocking rule passed; fail if any failed; else inconclusive.
        reason: One sentence for people.
        judgements: One per rule, suite and level, in the policy's order.
        differences: What else differs between the two sides.
        baseline: (run id, checkpoint name) of the baseline's runs.
        candidate: The same of the candidate.
        alpha: The policy's level.
        policy_digest: Digest of the policy.
        warns_only: Whether an inconclusive verdict shall not fail the build.
        anchor: (run id, checkpoint name) of a frozen run that was compared with too; none where there is none.
    """

    status: Status
    reason: str
    judgements: tuple[Judgement, ...]
    differences: tuple[Difference, ...]
    baseline: tuple[tuple[str, str], ...]
    candidate: tuple[tuple[str, str], ...]
    alpha: float
    policy_digest: str
    policy_path: str | None = None
    warns_only: bool = False
    anchor: tuple[tuple[str, str], ...] = ()

    @property
    def exit_code(self) -> int:
        """0 pass, 1 regression, 3 inconclusive (0 where the policy says warn)."""
        if self.status == "inconclusive" and self.warns_only:
            return 0
        return EXIT_CODES[self.status]

    def to_json(self) -> dict[str, Any]:
        """Everything, JSON-able, equal for equal inputs."""
        record = asdict(self)
        record["exit_code"] = self.exit_code
        for judged, judgement in zip(record["judgements"], self.judgements, strict=True):
            judged["title"] = judgement.title
        return record
