"""Faults of a shape are told in the words of the file that has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.formats.faults import Wording, field_path, known_keys, shape_faults, shown

CODE = r"^[a-z]{2}$"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    depth: int = 0
    colour: Literal["red", "green"] = "red"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1] = Field(alias="schema")
    inner: Inner | None = None
    many: list[Inner] = []
    by_name: dict[str, Inner] = {}
    code: Annotated[str, Field(pattern=CODE)] = "aa"
    few: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    either: str | int = 1


WORDS = Wording(
    elsewhere={"hue": "colour"}, refused={"id": "ids are computed"}, patterns={CODE: "a code such as 'en'"}
)


def faults(**value: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"schema": 1, **value})
    found = shape_faults(caught.value, Outer, wording=WORDS)
    return {field_path(parts): message for parts, message in found}


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({"inner": {"dpeth": 1}}, "inner.dpeth", "unknown key 'dpeth'. Did you mean 'depth'?"),
        ({"inner": {"hue": "red"}}, "inner.hue", "unknown key 'hue'. Did you mean 'colour'?"),
        ({"many": [{}, {"zzz": 1}]}, "many[1].zzz", "unknown key 'zzz'. Known: colour, depth."),
        ({"by_name": {"x": {"dept": 1}}}, "by_name.x.dept", "unknown key 'dept'. Did you mean 'depth'?"),
        ({"id": 3}, "id", "unknown key 'id': ids are computed"),
        ({"inner": {"id": 3}}, "inner.id", "unknown key 'id'. Known: colour, depth."),
        (
            {"inner": {"colour": "greeen"}},
            "inner.colour",
            "expected 'red' or 'green', got 'greeen'. Did you mean 'green'?",
        ),
        ({"inner": {"depth": 1.5}}, "inner.depth", "expected a whole number, got 1.5"),
        ({"inner": {"depth": True}}, "inner.depth", "expected a whole number, got True"),
        ({"inner": [1]}, "inner", "expected a mapping, got [1]"),
        ({"code": "EN"}, "code", "expected a code such as 'en', got 'EN'"),
        ({"few": []}, "few", "must not be empty"),
        ({"few": [1, 2, 3]}, "few", "expected at most 2 entries, got [1, 2, 3]"),
        ({"share": 0}, "share", "expected more than 0, got 0"),
        ({"share": 2}, "share", "expected at most 1, got 2"),
        ({"either": [1]}, "either", "expected a text or a whole number, got [1]"),
    ],
)
def test_a_fault_names_field_value_and_what_was_expected(
    value: dict[str, Any], field: str, message: str
) -> None:
    # Expected texts are written by hand.
    assert faults(**value)[field] == message


def test_a_missing_key_is_named_as_the_file_writes_it() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({})
    assert shape_faults(caught.value, Outer) == [(("schema",), "is missing; add it")]


def test_the_keys_known_at_a_path_are_those_of_its_record() -> None:
    assert known_keys(Outer, ("many", 3)) == ["colour", "depth"]
    assert known_keys(Outer, ("by_name", "any")) == ["colour", "depth"]
    assert "schema" in known_keys(Outer, ())


@given(st.text(max_size=200))
def test_a_shown_value_stands_on_one_line_and_is_cut(text: str) -> None:
    assert "\n" not in shown(text)
    assert len(shown(text)) <= 60


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*known_keys(Outer, ()), "other"]), json_values, max_size=5))
def test_any_value_is_accepted_or_gives_messages_with_a_place(value: dict[str, Any]) -> None:
    try:
        Outer.model_validate(value)
    except ValidationError as error:
        found = shape_faults(error, Outer, wording=WORDS)
        assert found
        assert all(message and "pydantic" not in message for _, message in found)
        assert len({parts for parts, _ in found}) == len(found)
