"""Business metrics from a file, and what answers cost, under the same tests as any metric."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from harness.core.errors import DataError, PolicyError
from harness.gating import Judgement, gate
from harness.gating.all_rules import why_times_differ
from harness.gating.peak_memory import judge_peak_memory
from harness.policy import Rule, load_policy
from harness.policy.rules import Margin
from harness.store import StoredRun
from tests.evaluation.made_suites import good, run_of, suite

N = 200


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return run_of(good(), [suite(n=60)], tmp_path_factory.mktemp("runs"))


def judged(folder: Path, run: StoredRun, rule: str) -> Judgement:
    path = folder / "release.gate.yaml"
    path.write_text(f"schema: 1\nrules:\n  - {rule}\n")
    return gate(candidate=run, baseline=run, policy=load_policy(path)).judgements[0]


def write_csv(path: Path, rows: Sequence[tuple[Any, Any, Any]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("item", "baseline", "candidate"), *rows])


def costs(*, growth: float) -> list[tuple[str, float, float]]:
    """Refunds of about 20 euro; the candidate's grow by about `growth`, half of the customers twice that."""
    return [
        (f"customer {number}", 15.0 + number % 11, 15.0 + number % 11 + (2 * growth if number % 2 else 0.0))
        for number in range(N)
    ]


RULE = "{values: {path: refunds.csv, direction: lower}, metric: refund_euro, margin: 2%}"


def test_a_cost_that_grows_beyond_the_margin_fails_and_an_equal_one_passes(
    tmp_path: Path, run: StoredRun
) -> None:
    write_csv(tmp_path / "refunds.csv", costs(growth=1.0))
    found = judged(tmp_path, run, RULE)
    assert (found.status, found.title) == ("fail", "refunds::refund_euro::all")
    assert found.effect.effect == pytest.approx(-1.0)
    write_csv(tmp_path / "refunds.csv", costs(growth=0.01))
    assert judged(tmp_path, run, RULE).status == "pass"


def test_the_test_is_the_paired_t_test_of_another_library(tmp_path: Path, run: StoredRun) -> None:
    rows = [(f"c{number}", float(number % 7), float(number % 7) - 0.1 * (number % 5)) for number in range(N)]
    write_csv(tmp_path / "refunds.csv", rows)
    found = judged(tmp_path, run, "{values: {path: refunds.csv}, metric: sales, margin: 0.5}")
    before, after = ([row[side] for row in rows] for side in (1, 2))
    assert found.effect.harm_p == pytest.approx(
        stats.ttest_rel(after, before, alternative="less").pvalue, rel=1e-6
    )


def test_rows_of_one_item_are_one_item(tmp_path: Path, run: StoredRun) -> None:
    rows = [
        (f"customer {number % 20}", before, after)
        for number, (_, before, after) in enumerate(costs(growth=1))
    ]
    write_csv(tmp_path / "refunds.csv", rows)
    found = judged(tmp_path, run, RULE)
    assert (found.effect.n, found.effect.n_items) == (N, 20)


def test_parquet_and_other_columns_are_read_alike(tmp_path: Path, run: StoredRun) -> None:
    rows = costs(growth=1.0)
    write_csv(tmp_path / "refunds.csv", rows)
    by_csv = judged(tmp_path, run, RULE)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("who", "old", "new"))}
    pq.write_table(pa.table(columns), tmp_path / "refunds.parquet")
    rule = (
        "{values: {path: refunds.parquet, item: who, baseline: old, candidate: new, direction: lower}, "
        "metric: refund_euro, margin: 2%}"
    )
    by_parquet = judged(tmp_path, run, rule)
    assert (by_parquet.effect.effect, by_parquet.effect.harm_p) == (
        by_csv.effect.effect,
        by_csv.effect.harm_p,
    )


def test_many_missing_values_decide_nothing(tmp_path: Path, run: StoredRun) -> None:
    rows = [
        (name, before, "" if number % 10 == 0 else after)
        for number, (name, before, after) in enumerate(costs(growth=1))
    ]
    write_csv(tmp_path / "refunds.csv", rows)
    found = judged(tmp_path, run, RULE)
    assert (found.status, found.effect.failed) == ("inconclusive", 20)


def test_a_ceiling_holds_the_candidates_own_mean(tmp_path: Path, run: StoredRun) -> None:
    write_csv(tmp_path / "refunds.csv", costs(growth=1.0))
    mean = sum(row[2] for row in costs(growth=1.0)) / N
    rule = "{{values: {{path: refunds.csv, direction: lower}}, metric: refund_euro, ceiling: {}}}"
    assert judged(tmp_path, run, rule.format(mean + 0.01)).status == "pass"
    found = judged(tmp_path, run, rule.format(mean - 0.01))
    assert (found.status, found.effect.candidate) == ("fail", pytest.approx(mean))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("item,baseline\na,1\n", "refunds.csv:1: has no column 'candidate'. It has: item, baseline."),
        ("item,baseline,candidat\n", "Did you mean 'candidat'?"),
        (
            "item,baseline,candidate\na,1,2\nb,1,two\n",
            "refunds.csv:3: candidate: expected a number, got 'two'",
        ),
        (
            "item,baseline,candidate\na,nan,2\n",
            "refunds.csv:2: baseline: expected a finite number, got 'nan'",
        ),
        ("item,baseline,candidate\n,1,2\n", "refunds.csv:2: item: is empty"),
        ("item,baseline,candidate\n", "refunds.csv: has no row"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, run: StoredRun, text: str, expected: str) -> None:
    (tmp_path / "refunds.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        judged(tmp_path, run, RULE)
    assert expected in str(caught.value)


def test_a_file_that_is_not_there_is_told_at_the_rules_line(tmp_path: Path, run: StoredRun) -> None:
    with pytest.raises(PolicyError, match=r"release\.gate\.yaml:3: values\.path: there is no file"):
        judged(tmp_path, run, RULE)


def described(run: StoredRun, **facts: Any) -> StoredRun:
    """The same run as another machine would have recorded it."""
    made = StoredRun.__new__(StoredRun)
    made._place = run._place
    backend = {key: value for key, value in facts.items() if key != "peak_memory_bytes"}
    memory = {key: value for key, value in facts.items() if key == "peak_memory_bytes"}
    made.manifest = replace(run.manifest, environment={"backend": backend, **memory})
    return made


def test_times_of_another_device_are_not_compared(run: StoredRun) -> None:
    here, there = (
        described(run, device="cpu", batch_tokens=512),
        described(run, device="cuda", batch_tokens=512),
    )
    assert why_times_differ([here], [here]) is None
    assert why_times_differ([here], [there]) == "measured with another device (cpu and cuda); run both alike."
    assert why_times_differ([here], [described(run)]) is None


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (100.0, 105.0, "pass"),
        (100.0, 111.0, "fail"),
        (None, 100.0, "inconclusive"),
        (100.0, None, "inconclusive"),
    ],
)
def test_peak_memory_is_compared_as_it_is(
    run: StoredRun, before: float | None, after: float | None, status: str
) -> None:
    rule = Rule(measure="peak_memory_bytes", margin=Margin(0.1, is_relative=True))
    sides = [
        described(run, **({} if value is None else {"peak_memory_bytes": value})) for value in (before, after)
    ]
    assert judge_peak_memory(rule, sides[:1], sides[1:], unfit=None).status == status


def test_a_ceiling_of_peak_memory_needs_no_baseline(run: StoredRun) -> None:
    rule = Rule(measure="peak_memory_bytes", ceiling=100.0)
    for value, status in ((100.0, "pass"), (101.0, "fail")):
        own = described(run, peak_memory_bytes=value)
        assert judge_peak_memory(rule, [run], [own], unfit=None).status == status
