"""The planning benchmark on a few hundred reads: its shapes share what they say."""

from __future__ import annotations

import pytest

from benchmarks.planning import SHAPES, measure


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_planned_with_little_computed_twice(shape: str) -> None:
    found = measure(shape, 160)
    assert found.n == pytest.approx(160, abs=3)
    assert 0 < found.distinct_share <= 1
    assert 1 <= found.computed_share < 1.2
    assert found.n_passes >= 1


def test_shots_of_all_reads_count_once() -> None:
    # 160 reads of 400 + 40-80 + 7-19 tokens; distinct: the shots, 40 questions, 160 options.
    least, most = (400 + 40 * 40 + 160 * 7) / (160 * 447), (400 + 40 * 80 + 160 * 19) / (160 * 499)
    share = measure("multi_token_options", 160).distinct_share
    assert least * 447 / 499 < share < most * 499 / 447
