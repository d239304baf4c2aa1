"""Drills: whatever is learned in them can be looked up in what the row says before."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.rng import rng_for
from harness.demo.drills import drill_row
from harness.demo.world.lexicon import LANGUAGES


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    language=st.sampled_from(LANGUAGES),
    hardness=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_every_learned_word_stood_earlier_in_the_row(seed: int, language: str, hardness: float) -> None:
    row = drill_row(rng_for(seed), language=language, split="train", hardness=hardness)
    said = ""
    for shown in row:
        said += shown.prompt
        assert shown.answer.strip().casefold() in said.casefold()
        assert not shown.ends
        said += shown.answer


def test_harder_drills_are_longer() -> None:
    def length(hardness: float) -> int:
        rows = (
            drill_row(rng_for(seed, "length"), language="en", split="train", hardness=hardness)
            for seed in range(60)
        )
        return sum(len(shown.prompt) for row in rows for shown in row)

    assert length(0.0) < length(1.0)
