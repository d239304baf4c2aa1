"""A policy as a value: its rules, its level, and what an inconclusive verdict means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Literal

from harness.core.digest import digest

Tier = Literal["blocking", "advisory"]
By = Literal["transform", "position", "language", "level"]
WhenInconclusive = Literal["fail", "warn"]
DEFAULT_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Margin:
    """The largest loss still acceptable: in the metric's units, or as a share of the baseline's value.

    Example:
        >>> Margin(0.1, is_relative=True).absolute(0.8), str(Margin(0.1, is_relative=True))
        (0.08000000000000002, '10%')
    """

    value: float
    is_relative: bool = False

    def absolute(self, baseline: float) -> float:
        """In the metric's units, given the baseline's value."""
        return abs(baseline) * self.value if self.is_relative else self.value

    def __str__(self) -> str:
        return f"{self.value:.4g}" if not self.is_relative else f"{100 * self.value:g}%"


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand: on these suites, this metric must not lose more than the margin.

    Args:
        suite: A suite's name, or a pattern with * and ?.
        metric: A metric's name, or "primary".
        margin: Largest acceptable loss.
        transform: Only variants of this transform ("source": the unchanged items).
        family: Only variants of this family of transforms.
        language: Only items of this language.
        tags: Only items with these (name, value) tags.
        by: One judgement per transform, position, level or language instead of one over all.
        tier: A blocking rule can fail the build; an advisory one is shown.
        line: Where it stands in the file.
    """

    suite: str = "*"
    metric: str = "primary"
    margin: Margin = Margin(DEFAULT_MARGIN)
    transform: str | None = None
    family: str | None = None
    language: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    by: By | None = None
    tier: Tier = "blocking"
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules of one gate.

    Args:
        rules: At least one.
        alpha: One-sided level of the whole family of blocking rules.
        baseline: Run id or name compared with unless the caller names another.
        inconclusive: Whether an inconclusive verdict fails the build or only warns.
        min_shared: Smallest share of a suite's variants that must be comparable, 0 to 1.
        max_failed_share: Largest share of variants that a system failure may have taken, 0 to 1.
        path: The file it came from.
    """

    rules: tuple[Rule, ...]
    alpha: float = 0.05
    baseline: str | None = None
    inconclusive: WhenInconclusive = "fail"
    min_shared: float = 1.0
    max_failed_share: float = 0.01
    path: str | None = None

    @property
    def digest(self) -> str:
        """Digest of what the policy demands, wherever it is written."""
        content = asdict(self)
        content.pop("path")
        for rule in content["rules"]:
            rule.pop("line")
        return digest("policy/1", content)

    def smallest_margin(self, suite: str) -> float:
        """The smallest margin of the blocking rules on a suite, a relative one taken of a score of 1.

        Example:
            >>> default_policy().smallest_margin("noisy-input")
            0.05
        """
        margins = [
            rule.margin.absolute(1.0)
            for rule in self.rules
            if rule.tier == "blocking" and fnmatchcase(suite, rule.suite)
        ]
        return min(margins, default=DEFAULT_MARGIN)


def default_policy() -> Policy:
    """Every suite's primary metric at margin .05; each transform is judged too, but only for advice.

    A transform's slice is a part of a suite, often too small to certify an unchanged checkpoint.
    """
    return Policy(rules=(Rule(), Rule(by="transform", tier="advisory")))
