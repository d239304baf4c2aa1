"""The columns of a store's tables, and tables to and from Parquet bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.core.errors import StoreError
from harness.core.naming import suggestion
from harness.core.rows import ErrorRow, ItemRow, OutputRow, ScoreRow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Row = ItemRow | ScoreRow | OutputRow | ErrorRow | Mapping[str, object]
TableKind = Literal["scores", "outputs", "errors", "items"]
ColumnType = Literal["text", "integer", "number", "truth", "numbers", "integers", "truths"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what it holds, and whether it may be missing."""

    name: str
    type: ColumnType
    optional: bool = False


def _columns(text: str) -> tuple[Column, ...]:
    """Columns from `name:type` words; `?` marks those that may be missing."""
    words = (word.split(":") for word in text.split())
    return tuple(Column(name, kind.removesuffix("?"), kind.endswith("?")) for name, kind in words)  # type: ignore[arg-type]


COLUMNS: Mapping[TableKind, tuple[Column, ...]] = {
    "scores": _columns(
        "variant_id:text item_id:text target_id:text suite:text family:text transform:text params:text "
        "position:number? dose:number? level:text? language:text sample:integer replicate:integer "
        "metric:text value:number? outcome:text"
    ),
    "outputs": _columns(
        "variant_id:text item_id:text prompt_id:text target_id:text suite:text sample:integer kind:text "
        "text:text? predicted:text? gold:text? outcome:text reason:text? option_logprobs:numbers? "
        "option_tokens:integers? option_greedy:truths? logprob_nats:number? tokens:integer? "
        "finish_reason:text? prompt_tokens:integer? seconds:number?"
    ),
    "errors": _columns(
        "variant_id:text item_id:text suite:text sample:integer error_class:text "
        "detector_version:integer primary:truth"
    ),
    "items": _columns(
        "variant_id:text item_id:text prompt_id:text target_id:text language:text transform:text "
        "family:text params:text position:number? dose:number? level:text? edits:text tags:text item:text "
        "prompt_text:text gold:text?"
    ),
}
# What one row is about; no two rows of a table may agree in all of these.
KEYS: Mapping[TableKind, tuple[str, ...]] = {
    "scores": ("item_id", "variant_id", "suite", "sample", "replicate", "metric"),
    "outputs": ("item_id", "variant_id", "suite", "sample"),
    "errors": ("item_id", "variant_id", "suite", "sample", "error_class"),
    "items": ("item_id", "variant_id"),
}


def schema(kind: TableKind) -> pa.Schema:
    """The Arrow schema of a table."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "truth": pa.bool_(),
        "numbers": pa.list_(pa.float64()),
        "integers": pa.list_(pa.int64()),
        "truths": pa.list_(pa.bool_()),
    }
    return pa.schema([pa.field(col.name, types[col.type], nullable=col.optional) for col in COLUMNS[kind]])


def table_of(rows: Iterable[Row], kind: TableKind) -> pa.Table:
    """A table from rows; an optional column left out of a row is missing there.

    Text with lone surrogates, which Parquet cannot hold, is stored with those escaped.

    Args:
        rows: Records of `core.rows`, or mappings from column name to value.
        kind: Which table.

    Raises:
        StoreError: If a row has an unknown column, lacks a needed one, or a value of the wrong type.

    Example:
        >>> from harness.core.rows import ErrorRow
        >>> table_of([ErrorRow("v", "i", "geo", 0, "refusal", 1, True)], "errors").num_rows
        1
    """
    import pyarrow as pa

    known = {col.name: col for col in COLUMNS[kind]}
    columns: dict[str, list[object]] = {name: [] for name in known}
    for number, record in enumerate(rows):
        row = record if isinstance(record, Mapping) else _fields(record)
        for name in row:
            if name not in known:
                raise StoreError(f"{kind} row {number}: no column named '{name}'.{suggestion(name, known)}")
        for name, col in known.items():
            value = row.get(name)
            if value is None and not col.optional:
                raise StoreError(f"{kind} row {number}: {name}: missing; every row needs it.")
            columns[name].append(_escaped(value) if isinstance(value, str) else value)
    arrays = []
    for arrow_field in schema(kind):
        try:
            arrays.append(pa.array(columns[arrow_field.name], type=arrow_field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise StoreError(f"{kind}: {arrow_field.name}: expected {arrow_field.type}: {error}.") from error
    return pa.Table.from_arrays(arrays, schema=schema(kind))


def conformed(table: pa.Table, kind: TableKind) -> pa.Table:
    """The table with its columns in order and of their types, sorted by item and variant.

    Raises:
        StoreError: If a column is unknown, absent or of the wrong type, two rows are about the same thing, or
            a number is NaN (a missing one is null).
    """
    import pyarrow.compute as pc

    wanted = schema(kind)
    strays = sorted(set(table.column_names) ^ set(wanted.names))
    if strays:
        fault = "absent" if strays[0] in wanted.names else "unknown"
        raise StoreError(f"The {kind} table cannot be stored: column '{strays[0]}' is {fault}.")
    try:
        cast = table.select(wanted.names).cast(wanted).replace_schema_metadata(None)
    except (ValueError, NotImplementedError) as error:  # Arrow's own errors are ValueErrors too
        raise StoreError(f"The {kind} table cannot be stored: {error}.") from error
    ordered = cast.sort_by([(name, "ascending") for name in KEYS[kind]]).combine_chunks()
    _refuse_duplicates(kind, ordered)
    for col in COLUMNS[kind]:
        if col.type == "number" and pc.any(pc.is_nan(ordered[col.name])).as_py():
            raise StoreError(
                f"The {kind} table cannot be stored: {col.name} is NaN; a missing value is null."
            )
    return ordered


def table_to_bytes(table: pa.Table) -> bytes:
    """A table as Parquet, compressed with zstd, every page with its checksum."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def table_from_bytes(data: bytes, *, path: str) -> pa.Table:
    """The reverse of `table_to_bytes`.

    Raises:
        StoreError: If the file is cut short or a page fails its checksum.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise StoreError(
            f"{path} is damaged ({error}); restore it from a copy, or remove the run and start it again."
        ) from error


def frame_of(table: pa.Table, kind: TableKind) -> pd.DataFrame:
    """A table for statistics: a missing number is NaN, a missing text None, a missing integer `pandas.NA`."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame = table.to_pandas(types_mapper=nullable.get)
    needed = {col.name: col.type for col in COLUMNS[kind] if not col.optional}
    plain = {"integer": "int64", "truth": "bool"}
    frame = frame.astype({name: plain[kind] for name, kind in needed.items() if kind in plain})
    for col in COLUMNS[kind]:
        if col.type == "text" and col.optional:  # pandas 3 would make a missing text NaN, pandas 2 None
            frame[col.name] = pd.Series(table[col.name].to_pylist(), dtype=object)
    return frame


def _fields(record: ItemRow | ScoreRow | OutputRow | ErrorRow) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _refuse_duplicates(kind: TableKind, table: pa.Table) -> None:
    keys = list(KEYS[kind])
    counts = table.group_by(keys).aggregate([([], "count_all")])
    if counts.num_rows == table.num_rows:
        return
    import pyarrow.compute as pc

    twice = counts.filter(pc.greater(counts["count_all"], 1)).slice(0, 1).to_pylist()[0]
    about = ", ".join(f"{name} '{twice[name]}'" for name in keys)
    raise StoreError(
        f"The {kind} table cannot be stored: {twice['count_all']} rows for {about}; one is needed."
    )
