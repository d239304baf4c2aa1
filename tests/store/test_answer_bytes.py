"""A response survives its bytes: bit for bit, any text, any number."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import StoreError
from harness.core.exchange import Chosen, Generated, Generation, OptionScore, TextScored
from harness.store.answer_bytes import response_from_bytes, response_to_bytes

# Every code point, lone surrogates included, and any two of them side by side.
texts = st.text(st.characters(exclude_categories=()), max_size=8)
numbers = st.floats(allow_nan=False)
counts = st.integers(-1, 2**40)
seconds = st.none() | st.floats(0, 1e6)
responses = (
    st.builds(
        Chosen,
        st.lists(st.builds(OptionScore, numbers, counts, st.booleans()), max_size=4).map(tuple),
        counts,
        seconds,
    )
    | st.builds(TextScored, numbers, counts, seconds)
    | st.builds(
        Generated,
        st.lists(
            st.builds(
                Generation,
                st.builds(lambda text, times: text * times, texts, st.integers(0, 100)),
                st.sampled_from(["eos", "stop", "length", "unknown"]),
                counts,
            ),
            max_size=3,
        ).map(tuple),
        counts,
        seconds,
    )
)


@given(responses)
def test_every_response_comes_back_equal_without_its_time(response: object) -> None:
    again = response_from_bytes(response_to_bytes(response))  # type: ignore[arg-type]
    assert again == replace(response, seconds=None)  # type: ignore[type-var]


@given(responses)
def test_equal_responses_have_equal_bytes(response: object) -> None:
    data = response_to_bytes(response)  # type: ignore[arg-type]
    assert response_to_bytes(response_from_bytes(data)) == data


@given(st.binary(max_size=60))
def test_bytes_that_are_no_response_are_refused_or_read_as_one(data: bytes) -> None:
    try:
        found = response_from_bytes(data)
    except StoreError:
        return
    assert isinstance(found, (Chosen, TextScored, Generated))


def test_a_response_cut_short_is_refused() -> None:
    data = response_to_bytes(Generated((Generation("a" * 20, "eos", 20),)))
    for length in (0, 1, 5):
        with pytest.raises(StoreError, match="stored response"):
            response_from_bytes(data[:length])


def test_four_options_take_fewer_than_eighty_bytes_and_long_text_shrinks() -> None:
    # By hand: 1 (kind) + 8 (prompt tokens) + 4 * (8 + 8 + 1).
    chosen = Chosen(tuple(OptionScore(-12.3456789, 3, False) for _ in range(4)), 400)
    assert len(response_to_bytes(chosen)) == 77
    written = Generated((Generation("the same words again and again " * 40, "length", 256),))
    assert len(response_to_bytes(written)) < 200
