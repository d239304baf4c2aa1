"""A first policy from two runs: one rule a suite, margins that its items can support, and comments that say why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.comparison import Effect, Slice, SuitePairs, pair_runs
from harness.comparison.effects import effect_of
from harness.core.errors import EmptyComparison
from harness.core.rows import MetricFacts
from harness.gating.derived import DERIVED, with_derived
from harness.stats.power import n_to_certify
from harness.store import StoredRun

USUAL_MARGINS = (0.02, 0.03, 0.05, 0.1)
ALPHA = 0.05
CHANGED = (
    0.1  # share of the answers that differ between two fine-tunings of one base, unless these runs say more
)


@dataclass(frozen=True, slots=True)
class Sensible:
    """A margin for one suite.

    Args:
        margin: As the policy writes it: units of the metric, or a share such as "10%".
        why: One comment line.
        is_blocking: Whether the suite can decide at this margin.
    """

    margin: str
    why: str
    is_blocking: bool = True


def starter_policy(baseline: StoredRun, candidate: StoredRun, *, baseline_name: str) -> str:
    """The text of a policy file.

    Args:
        baseline: The run that the policy's name points at now.
        candidate: A typical candidate: how many answers differ decides what the suites can tell.
        baseline_name: How the policy calls the baseline.

    Raises:
        EmptyComparison: If the two have no comparable variant.
    """
    paired = pair_runs(baseline, candidate)
    if paired.why_empty is not None:
        raise EmptyComparison(paired.why_empty)
    lines = [
        "# What a candidate is judged by: harness gate THIS_FILE --candidate RUN",
        "# Fail: significantly worse (Holm over all blocking rules) and worse than the margin.",
        "# Pass: a loss of the margin or more is ruled out, for every blocking rule. Else inconclusive.",
        "schema: 1",
        f"alpha: {ALPHA:g}                # one-sided level of all blocking rules together",
        f"baseline: {{run: {_quoted(baseline_name)}}}  # moved by: harness baseline promote RUN --reason ...",
        "inconclusive: fail         # or warn",
        "",
        "rules:",
    ]
    for pairs in paired.suites:
        lines += _suite_lines(pairs)
    lines += _more_lines(paired.suites)
    return "\n".join(lines) + "\n"


def _suite_lines(pairs: SuitePairs) -> Iterator[str]:
    name = _quoted(pairs.record.name)
    fact = next((fact for fact in pairs.metrics if fact.name == pairs.record.primary), None)
    if not pairs.n_shared or fact is None:
        yield f"  # {name}: left out, the two runs cannot be compared on it."
        return
    effect = effect_of(pairs, fact, Slice())
    found = sensible_margin(fact, effect)
    yield f"  # {pairs.record.name}: {effect.n_items} items, {effect.n} variants, {fact.name}."
    yield f"  # {found.why}"
    tier = "" if found.is_blocking else ", tier: advisory"
    yield f"  - {{suite: {name}, metric: primary, margin: {found.margin}{tier}}}"
    if pairs.scores["transform"].nunique() > 1:
        yield f"  - {{suite: {name}, metric: primary, margin: {found.margin}, by: transform, tier: advisory}}"
    yield ""


def sensible_margin(fact: MetricFacts, effect: Effect) -> Sensible:
    """The smallest usual margin at which an unchanged candidate would be certified 4 times of 5.

    Args:
        fact: The metric's facts.
        effect: What these two runs showed: its number of items, and how many answers differ.
    """
    if fact.corpus or fact.bounds != (0.0, 1.0):
        return Sensible(
            "5%", "5 % of the baseline's value; narrow it once a few candidates have been judged."
        )
    differing = _differing(effect)
    for margin in USUAL_MARGINS:
        needed = n_to_certify(margin, discordance=differing, alpha=ALPHA)
        if needed <= effect.n_items:
            return Sensible(
                f"{margin:g}",
                f"An unchanged candidate passes 4 times of 5 where {differing:.0%} of the answers differ.",
            )
    return Sensible(
        f"{USUAL_MARGINS[-1]:g}",
        f"Too few items for a margin of {USUAL_MARGINS[-1]:g}: about {needed:,} are needed. Advisory until then.",
        is_blocking=False,
    )


def _differing(effect: Effect) -> float:
    """Share of answers that differ, from these two runs; never less than usual."""
    if effect.lost is None or effect.won is None or not effect.n_scored:
        return CHANGED
    return max(CHANGED, (effect.lost + effect.won) / effect.n_scored)


def _more_lines(suites: Sequence[SuitePairs]) -> Iterator[str]:
    yield "  # More that a rule can say; take the # away and change it:"
    example = _quoted(suites[0].record.name)
    yield f"  # - {{suite: {example}, slice: {{language: zh}}, margin: 0.05}}  # also tags: {{name: value}}"
    yield f"  # - {{suite: {example}, by: language, margin: 0.05}}  # or by: transform, position"
    if any(_has(pairs, "consistency") for pairs in suites):
        yield f"  # - {{suite: {example}, metric: consistency, floor: 0.9}}  # variants as right as their source"
    if any(_has(pairs, "tokens_per_answer") for pairs in suites):
        yield '  # - {measure: tokens_per_answer, margin: "10%", tier: advisory}'
        yield '  # - {measure: tokens_per_second, margin: "10%", tier: advisory}'
    yield '  # - {values: {path: refunds.csv, direction: lower}, metric: refund_euro, margin: "2%"}'
    yield ""
    yield '# must_pass: [items/refunds.jsonl]      # one {"item": "id"} a line: each must be right'
    yield '# quarantine: [{item: a91f3c, until: 2026-12-31, reason: "gold under review"}]'


def _has(pairs: SuitePairs, name: str) -> bool:
    assert name in DERIVED
    return bool(pairs.n_shared) and with_derived(pairs, name) is not None


def _quoted(name: str) -> str:
    """A name as YAML reads it back, whatever is in it."""
    return json.dumps(name, ensure_ascii=False)
