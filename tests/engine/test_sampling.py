"""A draw looks at the likeliest tokens first, and is the draw from the whole sorted vocabulary."""

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.core.exchange import GenerationSettings
from harness.core.rng import rng_for
from harness.engine.sampling import Draw, drawn_token, drawn_tokens

N_TOKENS = 300  # more than are looked at first


def _by_hand(logits: list[float], draw: Draw) -> int:
    """The inverse of the distribution function over shares sorted downwards, equal ones by token; plain floats."""
    weights = [math.exp((value - max(logits)) / draw.settings.temperature) for value in logits]
    whole = math.fsum(weights)
    order = sorted(range(len(logits)), key=lambda token: (-weights[token], token))
    kept: list[int] = []
    reached = 0.0
    for token in order:
        kept.append(token)
        reached += weights[token] / whole
        if reached >= draw.settings.top_p:
            break
    target, passed = draw.uniform * reached, 0.0
    for token in kept:
        passed += weights[token] / whole
        if passed > target:
            return token
    return kept[-1]


@given(
    spread=st.sampled_from([0.0, 0.5, 3.0, 20.0]),
    is_rounded=st.booleans(),
    temperature=st.sampled_from([0.3, 1.0, 2.0]),
    top_p=st.sampled_from([0.1, 0.7, 0.95, 1.0]),
    seed=st.integers(0, 1000),
)
def test_tokens_are_those_of_the_whole_vocabulary_sorted(
    spread: float, is_rounded: bool, temperature: float, top_p: float, seed: int
) -> None:
    rng = rng_for(seed, "logits")
    rows = [[spread * (rng.random() + rng.random() - 1) for _ in range(N_TOKENS)] for _ in range(3)]
    if is_rounded:  # many equal shares
        rows = [[float(round(value)) for value in row] for row in rows]
    settings = GenerationSettings(temperature=temperature, top_p=top_p, seed=seed)
    draws = [Draw(settings, f"r{index}", 0, index) for index in range(3)]
    logits = torch.tensor(rows, dtype=torch.float64)
    found = drawn_tokens(logits, draws)
    assert found == [_by_hand(row, draw) for row, draw in zip(rows, draws, strict=True)]
    assert found[1] == drawn_token(logits[1], settings, request_id="r1", sample=0, step=1)
