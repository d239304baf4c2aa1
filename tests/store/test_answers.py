from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import StoreError
from harness.core.exchange import BackendFailure, Chosen, Generated, Generation, OptionScore, TextScored
from harness.store import answer_from_json, answer_to_json, is_transient

# Every code point, lone surrogates included, and any two of them side by side.
texts = st.text(st.characters(exclude_categories=()), max_size=8)
numbers = st.floats(allow_nan=False)
counts = st.integers(0, 2**40)
seconds = st.none() | st.floats(0, 1e6)
chosen = st.builds(
    Chosen,
    st.lists(st.builds(OptionScore, numbers, counts, st.booleans()), max_size=4).map(tuple),
    counts,
    seconds,
)
generated = st.builds(
    Generated,
    st.lists(
        st.builds(Generation, texts, st.sampled_from(["eos", "stop", "length", "unknown"]), counts),
        max_size=3,
    ).map(tuple),
    counts,
    seconds,
)
answers = (
    chosen
    | generated
    | st.builds(TextScored, numbers, counts, seconds)
    | st.builds(BackendFailure, texts, texts)
)


@settings(deadline=None)
@given(answers)
def test_every_answer_survives_json_text(answer: object) -> None:
    text = json.dumps(answer_to_json(answer), allow_nan=False)
    assert answer_from_json(json.loads(text)) == answer


@settings(deadline=None)
@given(st.floats(allow_nan=False, width=64))
def test_log_probabilities_come_back_bit_for_bit(value: float) -> None:
    text = json.dumps(answer_to_json(TextScored(value, 1)), allow_nan=False)
    again = answer_from_json(json.loads(text))
    assert np.float64(again.logprob_nats).tobytes() == np.float64(value).tobytes()


def test_a_log_probability_that_is_no_number_stays_one() -> None:
    again = answer_from_json(json.loads(json.dumps(answer_to_json(TextScored(math.nan, 1)), allow_nan=False)))
    assert math.isnan(again.logprob_nats)


def test_two_surrogates_side_by_side_do_not_become_one_character() -> None:
    # JSON escapes alone would read these two code points back as one emoji.
    answer = Generated((Generation("\ud83d\ude00", "eos", 1),))
    again = answer_from_json(json.loads(json.dumps(answer_to_json(answer))))
    assert len(again.generations[0].text) == 2


def test_numbers_of_arrays_are_written_as_plain_ones() -> None:
    answer = TextScored(np.float32(-0.5), np.int64(3))  # type: ignore[arg-type]
    assert json.loads(json.dumps(answer_to_json(answer)))["logprob_nats"] == -0.5


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("server", True),
        ("timeout", True),
        ("out_of_memory", True),
        ("nan_logits", False),
        ("prompt_too_long", False),
    ],
)
def test_only_failures_of_the_moment_are_transient(kind: str, expected: bool) -> None:
    assert is_transient(BackendFailure(kind, "")) is expected


def test_an_answer_of_a_newer_version_is_named() -> None:
    with pytest.raises(StoreError, match="kind 'dreamt'.*upgrade"):
        answer_from_json({"kind": "dreamt"})
