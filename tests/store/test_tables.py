from __future__ import annotations

import math
from dataclasses import fields, replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import StoreError
from harness.core.rows import ErrorRow, ItemRow, OutputRow, ScoreRow
from harness.store import COLUMNS, table_of
from harness.store.tables import conformed, frame_of, table_from_bytes, table_to_bytes
from tests.store.tiny_run import tables

SCORE = ScoreRow(
    "v", "i", "t", "geo", "noise", "typo", "{}", None, 0.1, None, "zh", 0, 0, "exact_match", 0.5, "scored"
)


@pytest.mark.parametrize(
    ("kind", "record"),
    [("scores", ScoreRow), ("outputs", OutputRow), ("errors", ErrorRow), ("items", ItemRow)],
)
def test_a_table_has_the_columns_of_its_row_record(kind: str, record: type) -> None:
    assert [column.name for column in COLUMNS[kind]] == [field.name for field in fields(record)]
    optional = {field.name for field in fields(record) if "None" in str(field.type)}
    assert {column.name for column in COLUMNS[kind] if column.optional} == optional


def test_an_empty_table_keeps_its_columns() -> None:
    table = table_from_bytes(table_to_bytes(conformed(table_of([], "errors"), "errors")), path="e")
    assert table.num_rows == 0
    assert frame_of(table, "errors").columns.tolist() == [column.name for column in COLUMNS["errors"]]


rows = st.builds(
    ScoreRow,
    *[st.text(max_size=3) for _ in range(7)],
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.none() | st.text(max_size=2),
    st.just("en"),
    st.integers(0, 3),
    st.integers(0, 3),
    st.text(max_size=2),
    st.none() | st.floats(allow_nan=False),
    st.sampled_from(["scored", "failed"]),
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        rows,
        max_size=6,
        unique_by=lambda r: (r.item_id, r.variant_id, r.suite, r.sample, r.replicate, r.metric),
    ),
    st.randoms(use_true_random=False),
)
def test_scores_read_back_equal_and_their_order_changes_no_byte(made: list[ScoreRow], rng: object) -> None:
    data = table_to_bytes(conformed(table_of(made, "scores"), "scores"))
    read = [ScoreRow(**row) for row in table_from_bytes(data, path="s").to_pylist()]
    assert sorted(map(repr, read)) == sorted(map(repr, made))
    shuffled = list(made)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert table_to_bytes(conformed(table_of(shuffled, "scores"), "scores")) == data


def test_text_that_parquet_cannot_hold_is_escaped() -> None:
    table = table_of([replace(SCORE, params="\ud800x")], "scores")
    assert table["params"].to_pylist() == ["\\ud800x"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"variant": "v"}, "scores row 0: no column named 'variant'. Did you mean 'variant_id'"),
        ({"variant_id": "v"}, "scores row 0: item_id: missing"),
    ],
)
def test_a_row_that_does_not_fit_names_row_and_column(row: dict[str, object], expected: str) -> None:
    with pytest.raises(StoreError, match=expected):
        table_of([row], "scores")


def test_a_value_of_the_wrong_type_names_the_column() -> None:
    with pytest.raises(StoreError, match="scores: sample: expected int64"):
        table_of([replace(SCORE, sample="first")], "scores")  # type: ignore[arg-type]


def test_two_scores_of_the_same_thing_are_refused() -> None:
    table = table_of([SCORE, replace(SCORE, value=1.0)], "scores")
    with pytest.raises(StoreError, match="2 rows for item_id 'i', variant_id 'v', suite 'geo'"):
        conformed(table, "scores")


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(StoreError, match="value is NaN"):
        conformed(table_of([replace(SCORE, value=math.nan)], "scores"), "scores")


def test_a_table_with_other_columns_is_refused() -> None:
    scores = tables()["scores"]
    with pytest.raises(StoreError, match="column 'metric' is absent"):
        conformed(scores.drop_columns(["metric"]), "scores")
    with pytest.raises(StoreError, match="column 'mood' is unknown"):
        conformed(scores.append_column("mood", pa.array(["good"] * 3)), "scores")
    with pytest.raises(StoreError, match="cannot be stored"):
        conformed(scores.set_column(11, "sample", pa.array(["x"] * 3)), "scores")


def test_missing_values_look_alike_under_every_pandas() -> None:
    frame = frame_of(tables()["outputs"], "outputs").set_index("variant_id")
    assert frame.loc["vc", "predicted"] is None
    assert frame.loc["vc", "option_logprobs"] is None
    assert math.isnan(frame.loc["vc", "seconds"])
    assert str(frame["tokens"].dtype) == "Int64"
    assert frame_of(tables()["errors"], "errors")["primary"].dtype == bool
