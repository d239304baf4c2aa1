"""The peak of memory: it sees what was held for a moment, and begins anew."""

from __future__ import annotations

import sys

import pytest

from harness.engine.peak_memory import forget_peak, peak_bytes

MEGABYTE = 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can forget a process's peak")
def test_a_peak_sees_what_was_held_for_a_moment_and_is_forgotten() -> None:
    import torch

    device = torch.device("cpu")
    forget_peak(device)
    before = peak_bytes(device)
    held = torch.ones(64 * MEGABYTE, dtype=torch.uint8)
    assert int(held[-1]) == 1
    del held
    after = peak_bytes(device)
    assert before is not None and after is not None
    assert after - before >= 60 * MEGABYTE  # 64 MB were touched; a little was free before
    forget_peak(device)
    again = peak_bytes(device)
    assert again is not None and again < after
