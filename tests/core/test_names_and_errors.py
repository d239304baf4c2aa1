"""Unknown names meet a near one, and every error says where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import errors
from harness.core.naming import suggestion, unknown_name
from harness.core.registry import Registry

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HarnessError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_an_exit_code_of_the_command_line(kind: type[errors.HarnessError]) -> None:
    assert kind.exit_code == (4 if kind in (errors.BackendError, errors.MeasurementError) else 2)
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "why"),
        ({"path": "a"}, "a: why"),
        ({"path": "a", "line": 3}, "a:3: why"),
        ({"path": "a", "line": 3, "column": 7}, "a:3:7: why"),
        ({"path": "a", "line": 3, "column": 7, "field": "b.c"}, "a:3:7: b.c: why"),
        ({"field": "b"}, "b: why"),
    ],
)
def test_a_file_error_leads_with_its_place(place: dict[str, object], text: str) -> None:
    assert str(errors.FileError("why", **place)) == text  # type: ignore[arg-type]


@given(st.text(min_size=3, max_size=12), st.integers(0, 11))
def test_a_name_with_one_letter_lost_is_offered(name: str, place: int) -> None:
    missing = name[: place % len(name)] + name[place % len(name) + 1 :]
    assert f"'{name}'" in suggestion(missing, [name, "0123456789abcdefgh"])


def test_a_name_like_no_other_meets_all_that_are_known() -> None:
    assert str(unknown_name("metric", "zzz", ["b", "a"])) == "No metric named 'zzz'. Known: a, b."
    assert str(unknown_name("metric", "zzz", [])) == "No metric named 'zzz'."


def test_a_registry_lists_units_by_file_name_and_tells_unknown_ones() -> None:
    metrics = Registry("metric", "harness.metrics", group="sft_harness.none")
    assert {"accuracy", "exact_match"} <= set(metrics.names())
    assert "declare" not in metrics.names()
    assert metrics.get("exact_match").__name__ == "exact_match"
    with pytest.raises(errors.UnknownName, match="No metric named 'exact_mach'. Did you mean 'exact_match'"):
        metrics.get("exact_mach")
