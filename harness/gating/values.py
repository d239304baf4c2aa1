"""A business metric's values from a CSV or Parquet file, as pairs that every test understands."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.comparison import SuitePairs
from harness.core.digest import digest
from harness.core.errors import DataError, PolicyError
from harness.core.naming import suggestion
from harness.core.rows import MetricFacts, SuiteRecord
from harness.policy import Policy, Rule
from harness.policy.rules import ValuesFile

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[str, float | None, float | None]


def value_pairs(policy: Policy, rule: Rule, values: ValuesFile) -> SuitePairs:
    """The file's rows as pairs: one a row, clustered by item.

    A missing value counts as a failure of the system that measured it, and many of them decide nothing.

    Raises:
        PolicyError: If there is no such file.
        DataError: If a column is absent, a value is no number, or there is no row; with the line.
    """
    import pandas as pd

    path = policy.folder / values.path
    if not path.is_file():
        raise PolicyError(
            f"there is no file '{path}'; write it before the gate.",
            path=policy.path,
            line=rule.line,
            field="values.path",
        )
    rows = _parquet_rows(path, values) if path.suffix == ".parquet" else _csv_rows(path, values)
    if not rows:
        raise DataError("has no row; a business metric needs one a item.", path=path)
    table = pd.DataFrame(
        {
            "variant_id": [f"row {number}" for number in range(1, len(rows) + 1)],
            "item_id": [item for item, _, _ in rows],
            "baseline": [math.nan if before is None else before for _, before, _ in rows],
            "candidate": [math.nan if after is None else after for _, _, after in rows],
        }
    )
    found = [value for _, before, after in rows for value in (before, after) if value is not None]
    facts = MetricFacts(
        rule.metric,
        direction=values.direction,
        bounds=values.bounds if values.bounds != (None, None) else _bounds(found),
        binary=set(found) <= {0.0, 1.0},
    )
    return SuitePairs(
        record=_record(values, facts, rows),
        metrics=(facts,),
        scores=_filled(table, rule.metric),
        outputs=pd.DataFrame(),
        n_baseline=len(rows),
        n_candidate=len(rows),
        n_shared=len(rows),
    )


def _bounds(found: list[float]) -> tuple[float | None, float | None]:
    """0 and 1 where nothing else occurs, else none: what did not occur is not impossible."""
    return (0.0, 1.0) if found and set(found) <= {0.0, 1.0} else (None, None)


def _record(values: ValuesFile, facts: MetricFacts, rows: list[Row]) -> SuiteRecord:
    return SuiteRecord(
        name=values.name, version="", digest=digest("values/1", *[list(row) for row in rows]), primary=facts.name,
        metrics=(facts,), task="values", asking={}, n_items=len({item for item, _, _ in rows}), n_variants=len(rows),
        source="import",
    )  # fmt: skip


def _filled(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """With every column that scores have."""
    for side in ("baseline", "candidate"):
        table[f"outcome_{side}"] = ["failed" if missing else "scored" for missing in table[side].isna()]
    return table.assign(
        language="", transform="source", family="source", position=math.nan, dose=math.nan, level=None, params="{}",
        metric=metric, samples=1,
    )  # fmt: skip


def _csv_rows(path: Path, values: ValuesFile) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        _check_columns(path, values, reader.fieldnames or [])
        return [_row(path, values, record, line=reader.line_num) for record in reader]


def _parquet_rows(path: Path, values: ValuesFile) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise DataError(f"is no Parquet file: {error}", path=path) from error
    _check_columns(path, values, table.column_names)
    return [
        _row(path, values, record, line=number) for number, record in enumerate(table.to_pylist(), start=1)
    ]


def _check_columns(path: Path, values: ValuesFile, columns: Any) -> None:
    for name in (values.item, values.baseline, values.candidate):
        if name not in columns:
            raise DataError(
                f"has no column '{name}'.{suggestion(name, columns)} It has: {', '.join(columns) or 'none'}.",
                path=path,
                line=1,
            )


def _row(path: Path, values: ValuesFile, record: dict[str, Any], *, line: int) -> Row:
    item = str(record[values.item] if record[values.item] is not None else "").strip()
    if not item:
        raise DataError("is empty; every row says what it is about.", path=path, line=line, field=values.item)
    return (
        item,
        _number(path, record, values.baseline, line=line),
        _number(path, record, values.candidate, line=line),
    )


def _number(path: Path, record: dict[str, Any], column: str, *, line: int) -> float | None:
    value = record[column]
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"expected a number, got '{value}'; leave it empty where there is none.",
            path=path,
            line=line,
            field=column,
        ) from error
    if not math.isfinite(number):
        raise DataError(
            f"expected a finite number, got '{value}'; leave it empty where there is none.",
            path=path,
            line=line,
            field=column,
        )
    return number
