"""Items that must be right: each is looked at by itself, and a wrong answer counts once it is confirmed.

An answer is confirmed wrong where it could not have come out otherwise (greedy generation, option scoring), or where
every one of several samples and runs is wrong. One wrong sample alone decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.comparison import Effect, Slice
from harness.core.codec import item_from_json
from harness.core.errors import DataError, PolicyError
from harness.core.rows import MetricFacts, SuiteRecord
from harness.formats.findings import raise_findings
from harness.formats.json_lines import read_json_lines
from harness.gating.verdict import Judgement, Status
from harness.policy import Policy, Rule
from harness.policy.rules import Quarantine
from harness.store import StoredRun

if TYPE_CHECKING:
    import pandas as pd

SHORTEST = 4
State = Literal["right", "wrong", "wavering", "unconfirmed", "unmeasured"]


@dataclass(frozen=True, slots=True)
class _Answered:
    """One variant of the list, over all samples and runs."""

    suite: str
    variant_id: str
    state: State


def judge_must_pass(
    policy: Policy, rule: Rule, candidate: Sequence[StoredRun], *, quarantined: Sequence[Quarantine] = ()
) -> Judgement:
    """Whether every item of a list is right.

    Args:
        policy: Where the list's path begins.
        rule: One with `must_pass`.
        candidate: The candidate's runs.
        quarantined: Entries in force; their items are not judged.

    Raises:
        PolicyError: If there is no such list.
        DataError: If a line is faulty, or names several items.
    """
    assert rule.must_pass is not None
    ids = _listed(policy, rule)
    tables = [(run, _rights(run)) for run in candidate]
    known = {
        (row.item_id, row.variant_id): row.transform
        for _, table in tables
        for row in table.itertuples(index=False)
    }
    answered: list[_Answered] = []
    absent = []
    for line, name in ids:
        if any(name.startswith(entry.item) or entry.item.startswith(name) for entry in quarantined):
            continue
        variants = _variants(policy, rule, line, name, known)
        if not variants:
            absent.append(name)
        answered += [_state(tables, variant_id) for variant_id in variants]
    status, reason = _status(answered, absent)
    return Judgement(
        rule, _effect(rule, answered, absent), None, status, reason, None, None, (), None,
        variants=tuple((each.suite, each.variant_id) for each in answered if each.state in ("wrong", "unconfirmed")),
    )  # fmt: skip


def _listed(policy: Policy, rule: Rule) -> list[tuple[int, str]]:
    """(line, id) of each entry."""
    assert rule.must_pass is not None
    path = policy.folder / rule.must_pass.path
    if not path.is_file():
        raise PolicyError(
            f"there is no file '{path}'; write one line an item, such as "
            '{"item": "a91f3c..."}, or leave the list out.',
            path=policy.path,
            line=rule.line,
            field="must_pass",
        )
    lines, findings = read_json_lines(path)
    if findings:
        raise_findings(findings, DataError)
    if not lines:
        raise DataError("has no item; a list that must pass needs one.", path=path)
    found = []
    for line in lines:
        name = line.value.get("item")
        if name is None and {"language", "prompt"} <= set(line.value):
            try:
                name = item_from_json(line.value).item_id
            except (KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"is no item ({type(error).__name__}: {error}); copy the suite's line, or name its id.",
                    path=path,
                    line=line.number,
                ) from error
        if not isinstance(name, str) or len(name) < SHORTEST:
            raise DataError(
                'expected {"item": "..."} with at least four letters of the id of an item or variant, '
                "or an item as it stands in its suite.",
                path=path,
                line=line.number,
                field="item",
            )
        found.append((line.number, name))
    return found


def _rights(run: StoredRun) -> pd.DataFrame:
    """A run's variants with whether each sample is right (None where missing), by the metric that can tell."""
    import pandas as pd

    scores = run.scores()
    parts = []
    for record in run.manifest.suites:
        fact = _deciding(record)
        if fact is not None:
            part = scores[(scores["suite"] == record.name) & (scores["metric"] == fact.name)]
            rights = [None if value != value else fact.is_right(value) for value in part["value"]]
            parts.append(part.assign(right=pd.Series(rights, index=part.index, dtype=object)))
    return pd.concat(parts) if parts else scores.iloc[:0].assign(right=None)


def _deciding(record: SuiteRecord) -> MetricFacts | None:
    able = [fact for fact in record.metrics if fact.pass_at is not None and not fact.corpus]
    return next((fact for fact in able if fact.name == record.primary), able[0] if able else None)


def _variants(
    policy: Policy, rule: Rule, line: int, name: str, known: dict[tuple[str, str], str]
) -> list[str]:
    """The variants that an entry means."""
    assert rule.must_pass is not None
    by_variant = [variant_id for _, variant_id in known if variant_id.startswith(name)]
    items = sorted({item_id for item_id, _ in known if item_id.startswith(name)})
    if len(items) > 1 or (not items and len(by_variant) > 1):
        raise DataError(
            f"'{name}' begins {len(items) or len(by_variant)} ids; give more letters.",
            path=policy.folder / rule.must_pass.path,
            line=line,
            field="item",
        )
    if not items:
        return by_variant
    own = {variant_id: transform for (item_id, variant_id), transform in known.items() if item_id == items[0]}
    sources = sorted(variant_id for variant_id, transform in own.items() if transform == "source")
    return sources if sources and rule.must_pass.variants == "source" else sorted(own)


def _state(tables: Sequence[tuple[StoredRun, pd.DataFrame]], variant_id: str) -> _Answered:
    suite, rights, is_fixed = "", [], False
    for run, table in tables:
        rows = table[table["variant_id"] == variant_id]
        if not rows.empty:
            suite = str(rows["suite"].iloc[0])
            is_fixed = is_fixed or not _is_sampled(run.manifest.suite(suite))
            rights += rows["right"].to_list()
    known = [right for right in rights if right is not None]
    return _Answered(suite, variant_id, _state_of(known, is_fixed=is_fixed))


def _state_of(rights: list[bool], *, is_fixed: bool) -> State:
    if not rights:
        return "unmeasured"
    if all(rights):
        return "right"
    if any(rights):
        return "wavering"
    return "wrong" if is_fixed or len(rights) > 1 else "unconfirmed"


def _is_sampled(record: SuiteRecord) -> bool:
    """Whether another try could have answered otherwise."""
    generation = record.asking.get("generation")
    return isinstance(generation, dict) and bool(generation.get("temperature"))


def _status(answered: Sequence[_Answered], absent: Sequence[str]) -> tuple[Status, str]:
    count = {
        state: [each.variant_id for each in answered if each.state == state]
        for state in ("right", "wrong", "wavering", "unconfirmed", "unmeasured")
    }
    parts = list(_parts(count, absent))
    if count["wrong"]:
        return (
            "fail",
            f"{len(count['wrong'])} of {len(answered)} must-pass answers are wrong; {'; '.join(parts)}.",
        )
    if count["unconfirmed"] or count["unmeasured"] or absent:
        return "inconclusive", f"not every must-pass item is known to be right; {'; '.join(parts)}."
    if not answered:
        return "inconclusive", "every item of the list is quarantined: nothing to judge."
    told = f"; {'; '.join(parts)}" if parts else ""
    return "pass", f"all {len(answered)} must-pass answers are right{told}."


def _parts(count: dict[str, list[str]], absent: Sequence[str]) -> Iterator[str]:
    if count["wrong"]:
        yield f"wrong: {_named(count['wrong'])}"
    if count["unconfirmed"]:
        yield (
            f"wrong in one sample, to be confirmed: {_named(count['unconfirmed'])} "
            "(run again with --replicate 1 and give both runs)"
        )
    if count["unmeasured"]:
        yield f"no answer: {_named(count['unmeasured'])}"
    if absent:
        yield f"not asked: {_named(absent)} (an id changes with the item's text)"
    if count["wavering"]:
        yield f"right in some tries only: {_named(count['wavering'])}"


def _named(ids: Sequence[str], *, most: int = 5) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more


def _effect(rule: Rule, answered: Sequence[_Answered], absent: Sequence[str]) -> Effect:
    known = [each for each in answered if each.state != "unmeasured"]
    n_right = sum(each.state in ("right", "wavering") for each in known)
    return Effect(
        rule.suite, "must_pass", Slice(), "higher", n=len(answered) + len(absent), failed=len(answered) - len(known),
        n_scored=len(known), n_items=len(answered), candidate=n_right / len(known) if known else None,
        method="every item by itself",
    )  # fmt: skip
