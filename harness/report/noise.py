"""What repeats of a run say of numerical noise, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from harness.comparison import pair_runs
from harness.report.terminal import console
from harness.store import StoredRun


def show_noise(first: StoredRun, repeats: Sequence[StoredRun]) -> None:
    """Prints each suite's floor, and the ids with which a comparison knows it.

    Args:
        first: The run.
        repeats: The same checkpoint and suites in other batch shapes.
    """
    out = console()
    for pairs in pair_runs([first, *repeats], first).suites:
        name, floor = pairs.record.name, pairs.floor
        if floor is None:
            out.print(
                f"{name}: {len(repeats) + 1} runs; no option was scored, so that there is no floor in nats."
            )
            continue
        out.print(
            f"{name}: numerical noise up to {floor.nats:.2g} nats (half of the items below "
            f"{floor.typical_nats:.2g}) over {floor.n_replicates} runs; {floor.flip_share:.2%} of the items changed "
            "their choice."
        )
    out.print(f"Repeats: {', '.join(run.run_id for run in repeats)}")
