"""The numerical noise floor."""

from __future__ import annotations

import pytest

from harness.core.errors import UsageError
from harness.stats.noise import is_within_noise, noise_floor


def test_the_floor_is_the_widest_spread_of_one_value() -> None:
    # By hand: spreads .1, .3 and 0; the second changes its sign.
    found = noise_floor([[1.0, 1.1, 1.05], [-0.1, 0.2, 0.1], [2.0, 2.0, 2.0]])
    assert found.nats == pytest.approx(0.3)
    assert found.typical_nats == pytest.approx(0.1)
    assert (found.flip_share, found.n_values, found.n_replicates) == (pytest.approx(1 / 3), 3, 3)


def test_a_flip_is_a_tie_where_either_side_could_have_gone_the_other_way() -> None:
    assert is_within_noise(0.2, -5.0, floor_nats=0.3)
    assert is_within_noise(5.0, -0.2, floor_nats=0.3)
    assert not is_within_noise(5.0, -0.4, floor_nats=0.3)


@pytest.mark.parametrize("margins", [[], [[1.0]], [[1.0, float("nan")]]])
def test_one_measurement_has_no_floor(margins: list[list[float]]) -> None:
    with pytest.raises(UsageError, match="at least 2 replicates"):
        noise_floor(margins)
