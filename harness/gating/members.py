"""From rules to what is tested: one member per rule, suite, metric and level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.comparison import Slice, SuitePairs
from harness.comparison.effects import slice_mask
from harness.core.errors import PolicyError
from harness.core.naming import suggestion
from harness.core.rows import MetricFacts
from harness.core.scores import Outcome
from harness.gating.derived import CONSISTENCY, DERIVED, TIMED, with_derived
from harness.gating.values import value_pairs
from harness.policy import Margin, Policy, Rule
from harness.policy.rules import DEFAULT_MARGIN

if TYPE_CHECKING:
    import pandas as pd

Tags = Mapping[str, "pd.Series"]
RATES: tuple[Outcome, ...] = ("unparsed", "abstained")


@dataclass(frozen=True, slots=True)
class Member:
    """One thing to test.

    Args:
        rule: Where it comes from.
        pairs: The suite's comparable variants.
        metric: Its facts; for a rate, facts of that rate.
        where: The slice.
        margin: Largest acceptable loss.
        rate: The outcome whose share is tested in place of a metric.
        unfit: Why the two sides' numbers must not be compared; None where they may.
    """

    rule: Rule
    pairs: SuitePairs
    metric: MetricFacts
    where: Slice
    margin: Margin
    rate: Outcome | None = None
    unfit: str | None = None

    @property
    def hypothesis(self) -> tuple[str, str, Slice]:
        """What is tested for harm, whatever the margin."""
        return self.pairs.record.name, self.metric.name, self.where


def members(
    policy: Policy,
    suites: Sequence[SuitePairs],
    tags: Tags,
    *,
    rules: Sequence[Rule] | None = None,
    unfit: str | None = None,
) -> list[Member]:
    """All members of a policy over the suites of either side, equal ones once.

    A suite that a rule asks for but that cannot be compared gives one member: nothing to judge is told, not skipped.

    Args:
        policy: Its rules.
        suites: Every suite of either side.
        tags: Per suite, variant_id -> tags.
        rules: Only these of its rules; None means all.
        unfit: Why times of the two sides must not be compared; None where they may.

    Raises:
        PolicyError: If a rule matches no suite, names an unknown metric, selects no variant, or has a margin that
            no loss can reach.
    """
    found: dict[tuple[object, ...], Member] = {}
    for rule in policy.rules if rules is None else rules:
        if rule.values is not None:
            pairs = value_pairs(policy, rule, rule.values)
            member = Member(rule, pairs, pairs.metrics[0], Slice(), rule.margin)
            found[(*member.hypothesis, rule.tier, rule.margin, rule.floor, rule.ceiling)] = member
            continue
        matching = _matching(policy, rule, suites)
        with_metric = list(_with_metric(rule, matching))
        if not with_metric:
            raise _no_metric(policy, rule, matching)
        own = [
            member
            for pairs, fact in with_metric
            for member in _members_of(policy, rule, pairs, fact, tags[pairs.record.name], unfit=unfit)
        ]
        if not own:
            raise PolicyError(
                f"selects no variant of {', '.join(pairs.record.name for pairs, _ in with_metric)}; "
                "check transform, family, slice and by.",
                path=policy.path,
                line=rule.line,
            )
        for member in own:
            key = (*member.hypothesis, rule.tier, member.margin, rule.floor, rule.ceiling)
            found.setdefault(key, member)
    return list(found.values())


def _matching(policy: Policy, rule: Rule, suites: Sequence[SuitePairs]) -> list[SuitePairs]:
    found = [pairs for pairs in suites if fnmatchcase(pairs.record.name, rule.suite)]
    if not found:
        names = [pairs.record.name for pairs in suites]
        raise PolicyError(
            f"no suite of these runs matches '{rule.suite}'.{suggestion(rule.suite, names)} "
            f"They ran: {', '.join(names)}.",
            path=policy.path,
            line=rule.line,
            field="suite",
        )
    return found


def _with_metric(rule: Rule, matching: Sequence[SuitePairs]) -> Iterator[tuple[SuitePairs, MetricFacts]]:
    """The suites that have what a rule judges; a derived metric takes the place of their own."""
    name = rule.measure or (rule.metric if rule.metric == CONSISTENCY else None)
    for pairs in matching:
        if name is None:
            fact = _metric(rule, pairs)
            if fact is not None:
                yield pairs, fact
            continue
        derived = with_derived(pairs, name)
        if derived is not None:
            yield derived, DERIVED[name]


def _metric(rule: Rule, pairs: SuitePairs) -> MetricFacts | None:
    """A pattern of suites may meet some without the metric."""
    name = pairs.record.primary if rule.metric == "primary" else rule.metric
    return next((fact for fact in pairs.record.metrics if fact.name == name), None)


def _no_metric(policy: Policy, rule: Rule, suites: Sequence[SuitePairs]) -> PolicyError:
    if rule.measure is not None:
        return PolicyError(
            f"neither side recorded '{rule.measure}' on a suite that matches '{rule.suite}'; only answers of the "
            "harness's own engine have times, and only free text has tokens.",
            path=policy.path,
            line=rule.line,
            field="measure",
        )
    names = sorted({fact.name for pairs in suites for fact in pairs.record.metrics})
    return PolicyError(
        f"no suite that matches '{rule.suite}' has the metric '{rule.metric}'."
        f"{suggestion(rule.metric, names)} There are: {', '.join(names)}.",
        path=policy.path,
        line=rule.line,
        field="metric",
    )


def _members_of(
    policy: Policy,
    rule: Rule,
    pairs: SuitePairs,
    metric: MetricFacts,
    tags: pd.Series,
    *,
    unfit: str | None = None,
) -> Iterator[Member]:
    base = Slice(transform=rule.transform, family=rule.family, language=rule.language, tags=rule.tags)
    if not pairs.n_shared:
        yield Member(rule, pairs, metric, base, rule.margin)
        return
    if not rule.is_absolute:
        _check_margin(policy, rule, metric)
    variants = pairs.scores.drop_duplicates("variant_id")
    rows = variants[slice_mask(variants, base, tags=tags)]
    for where in _levels(rule, base, rows):
        yield Member(rule, pairs, metric, where, rule.margin, unfit=unfit if rule.measure in TIMED else None)
    is_primary = rule.metric == "primary" and rule.measure is None and not rule.is_absolute
    if is_primary and rule.by is None and not rows.empty:
        yield from _rates(rule, pairs, base)


def _rates(rule: Rule, pairs: SuitePairs, where: Slice) -> Iterator[Member]:
    """The rates of unreadable and declined answers, where answers are free text and so can be either."""
    if not (pairs.outputs["kind_candidate"] == "generate").any():
        return
    # A rate is a share: a margin in a metric's larger units says nothing of it.
    margin = Margin(rule.margin.value if rule.margin.value < 1 else DEFAULT_MARGIN)
    for outcome in RATES:
        facts = MetricFacts(f"{outcome}_rate", direction="lower", bounds=(0.0, 1.0), binary=True)
        yield Member(rule, pairs, facts, where, margin, rate=outcome)


def _check_margin(policy: Policy, rule: Rule, metric: MetricFacts) -> None:
    low, high = metric.bounds
    if rule.margin.is_relative or low is None or high is None or rule.margin.value < high - low:
        return
    raise PolicyError(
        f"a margin of {rule.margin} forbids nothing: '{metric.name}' lies between {low:g} and {high:g}; lower it.",
        path=policy.path,
        line=rule.line,
        field="margin",
    )


def _levels(rule: Rule, base: Slice, rows: pd.DataFrame) -> Iterator[Slice]:
    """The slices a rule is judged on; `rows` are the variants of its base slice, one row each."""
    if rule.by is None:
        if not rows.empty:
            yield base
        return
    if rule.by in ("position", "level"):
        # A position or level is a step of one transform: 0.5 of a rotation is not 0.5 of something else.
        steps = rows.dropna(subset=[rule.by])[["transform", rule.by]].drop_duplicates()
        for transform, step in sorted(steps.itertuples(index=False, name=None)):
            where = replace(base, transform=transform)
            yield replace(where, position=step) if rule.by == "position" else replace(where, level=step)
        return
    for value in sorted(rows[rule.by].dropna().unique()):
        is_transform = rule.by == "transform"
        yield replace(base, transform=value) if is_transform else replace(base, language=value)
