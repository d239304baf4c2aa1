"""A policy as a value: its rules, its level, and what an inconclusive verdict means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Literal

from harness.core.digest import digest

Tier = Literal["blocking", "advisory"]
Measure = Literal["tokens_per_second", "seconds_per_answer", "tokens_per_answer", "peak_memory_bytes"]
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
class ValuesFile:
    """Per-item values of a business metric, from a CSV or Parquet file with one row an item.

    Args:
        path: The file; a relative path begins at the policy's folder.
        item: The column that says what a row is about; rows of one item are averaged first.
        baseline: The column with the baseline's values.
        candidate: The column with the candidate's values.
        direction: Which way is better.
        bounds: (lowest, highest) possible value, None where unbounded.
    """

    path: str
    item: str = "item"
    baseline: str = "baseline"
    candidate: str = "candidate"
    direction: Literal["higher", "lower"] = "higher"
    bounds: tuple[float | None, float | None] = (None, None)

    @property
    def name(self) -> str:
        """What stands in a suite's place: the file's name without its ending."""
        return PurePath(self.path).stem


@dataclass(frozen=True, slots=True)
class MustPass:
    """A list of items that must be right.

    Args:
        path: A JSON Lines file; a relative path begins at the policy's folder.
        variants: Whether only the unchanged item must be right, or every variant of it.
    """

    path: str
    variants: Literal["source", "all"] = "source"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An item that is not judged for a while.

    Args:
        item: Its id or a variant's, or the beginning of one.
        until: The last day.
        reason: Why.
        line: Where it stands in the file.
    """

    item: str
    until: date
    reason: str
    line: int | None = None


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
        floor: Smallest acceptable value of the candidate itself; then there is no margin and no test.
        ceiling: Largest acceptable value, likewise.
        measure: What it costs to answer, in a metric's place.
        values: A business metric's values, in a suite's place.
        must_pass: A list of items that must be right.
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
    floor: float | None = None
    ceiling: float | None = None
    measure: Measure | None = None
    values: ValuesFile | None = None
    must_pass: MustPass | None = None
    line: int | None = None

    @property
    def is_absolute(self) -> bool:
        """Whether it judges the candidate alone, without a baseline."""
        return self.floor is not None or self.ceiling is not None or self.must_pass is not None

    @property
    def title(self) -> str:
        """suite::metric::slice as the file names them, before any run is known.

        Example:
            >>> Rule(suite="noisy-input", metric="accuracy", language="zh").title, Rule(by="transform").title
            ('noisy-input::accuracy::zh', '*::primary::by transform')
        """
        parts = [
            self.transform,
            self.family,
            self.language,
            *(f"{name}={value}" for name, value in self.tags),
        ]
        if self.by is not None:
            parts.append(f"by {self.by}")
        what = self.suite if self.values is None else self.values.name
        return f"{what}::{self.measure or self.metric}::{', '.join(part for part in parts if part) or 'all'}"


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
        must_pass: Lists of items that must be right, each as a rule of its own.
        quarantine: Items that are not judged for a while.
        path: The file it came from.
    """

    rules: tuple[Rule, ...]
    alpha: float = 0.05
    baseline: str | None = None
    inconclusive: WhenInconclusive = "fail"
    min_shared: float = 1.0
    max_failed_share: float = 0.01
    must_pass: tuple[Rule, ...] = ()
    quarantine: tuple[Quarantine, ...] = ()
    path: str | None = None

    @property
    def demands(self) -> tuple[Rule, ...]:
        """The rules, then the must-pass lists."""
        return (*self.rules, *self.must_pass)

    @property
    def folder(self) -> Path:
        """Where relative paths in it begin."""
        return Path(".") if self.path is None else Path(self.path).parent

    @property
    def digest(self) -> str:
        """Digest of what the policy demands, wherever it is written."""
        content = asdict(self)
        content.pop("path")
        for rule in (*content["rules"], *content["must_pass"], *content["quarantine"]):
            rule.pop("line")
        for entry in content["quarantine"]:
            entry["until"] = entry["until"].isoformat()
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
            if rule.tier == "blocking"
            and not rule.is_absolute
            and rule.values is None
            and rule.measure is None
            and fnmatchcase(suite, rule.suite)
        ]
        return min(margins, default=DEFAULT_MARGIN)


def default_policy() -> Policy:
    """Every suite's primary metric at margin .05; each transform is judged too, but only for advice.

    A transform's slice is a part of a suite, often too small to certify an unchanged checkpoint.
    """
    return Policy(rules=(Rule(), Rule(by="transform", tier="advisory")))
