"""From rules to what is tested: one member per rule, suite, metric and level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.comparison import Slice, SuitePairs
from harness.core.errors import PolicyError
from harness.core.naming import suggestion
from harness.core.rows import MetricFacts
from harness.policy import Policy, Rule

if TYPE_CHECKING:
    import pandas as pd

RATES = ("unparsed_rate", "abstained_rate")


@dataclass(frozen=True, slots=True)
class Member:
    """One thing to test.

    Args:
        rule: Where it comes from.
        pairs: The suite's comparable variants.
        metric: Its facts; for a rate of `RATES`, facts of that rate.
        where: The slice.
    """

    rule: Rule
    pairs: SuitePairs
    metric: MetricFacts
    where: Slice


def members(policy: Policy, suites: tuple[SuitePairs, ...]) -> list[Member]:
    """All members of a policy over the suites that were compared, equal ones once.

    Raises:
        PolicyError: If a rule matches no suite, names an unknown metric, or selects no variant.
    """
    found: list[Member] = []
    seen: set[tuple[str, str, Slice, str]] = set()
    for rule in policy.rules:
        matching = [pairs for pairs in suites if fnmatchcase(pairs.record.name, rule.suite)]
        if not matching:
            names = [pairs.record.name for pairs in suites]
            raise PolicyError(
                f"no compared suite matches '{rule.suite}'.{suggestion(rule.suite, names)} "
                f"Compared: {', '.join(names)}.",
                path=policy.path,
                line=rule.line,
                field="suite",
            )
        own = [member for pairs in matching for member in _members_of(policy, rule, pairs)]
        if not own:
            raise PolicyError(
                "this rule selects no variant of any compared suite; check transform, slice and by.",
                path=policy.path,
                line=rule.line,
            )
        for member in own:
            key = (member.pairs.record.name, member.metric.name, member.where, rule.tier)
            if key not in seen:
                seen.add(key)
                found.append(member)
    return found


def _members_of(policy: Policy, rule: Rule, pairs: SuitePairs) -> Iterator[Member]:
    metric = _metric(policy, rule, pairs)
    if metric is None:
        return
    base = Slice(transform=rule.transform, family=rule.family, language=rule.language, tags=rule.tags)
    scores = pairs.scores[pairs.scores["metric"] == pairs.metrics[0].name]
    for where in _levels(rule, base, scores):
        yield Member(rule, pairs, metric, where)
    if rule.metric == "primary" and rule.by is None and pairs.record.task != "likelihood":
        for rate in _rates(pairs):
            yield Member(rule, pairs, rate, base)


def _rates(pairs: SuitePairs) -> Iterator[MetricFacts]:
    """The rates of unreadable and declined answers, where answers are free text and so can be either."""
    if (pairs.outputs["kind_candidate"] == "generate").any():
        for name in RATES:
            yield MetricFacts(name, direction="lower", bounds=(0.0, 1.0), binary=True)


def _metric(policy: Policy, rule: Rule, pairs: SuitePairs) -> MetricFacts | None:
    by_name = {fact.name: fact for fact in pairs.metrics}
    if rule.metric == "primary":
        return by_name[pairs.record.primary]
    if rule.metric in by_name:
        return by_name[rule.metric]
    if "*" in rule.suite or "?" in rule.suite:
        return None  # a pattern may meet suites without the metric; none at all is an error in `members`
    raise PolicyError(
        f"suite '{pairs.record.name}' has no metric '{rule.metric}'.{suggestion(rule.metric, by_name)} "
        f"It has: {', '.join(by_name)}.",
        path=policy.path,
        line=rule.line,
        field="metric",
    )


def _levels(rule: Rule, base: Slice, scores: pd.DataFrame) -> Iterator[Slice]:
    """The slices a rule is judged on."""
    from harness.comparison.effects import slice_mask

    rows = scores[slice_mask(scores, replace(base, tags=()))]
    if rule.by is None:
        if not rows.empty:
            yield base
        return
    if rule.by in ("position", "level"):
        # A position or level is a step of one transform: 0.5 of a rotation is not 0.5 of something else.
        steps = rows.dropna(subset=[rule.by])[["transform", rule.by]].drop_duplicates()
        for transform, step in sorted(steps.itertuples(index=False, name=None)):
            yield replace(base, transform=transform, **{rule.by: step})
        return
    for value in sorted(rows[rule.by].dropna().unique()):
        yield replace(base, **{rule.by: value})
