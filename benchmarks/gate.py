"""Error rates and savings of the gate's statistics, by simulation. `python -m benchmarks.gate --json`

The rules others use stand beside ours in the same run. `--quick` simulates a tenth. `--selftest FILE` adds what
`harness selftest --json` found of planted faults.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gate_work.early import early_table
from benchmarks.gate_work.family import family_power, unchanged_gates
from benchmarks.gate_work.rules import ALPHA
from benchmarks.gate_work.single import (
    alarm_table,
    best_among_level_keepers,
    certificate_table,
    clustered_table,
    power_of,
)
from harness.stats.sequential import equal_looks, spending_bounds

SEED = 20261122


def measure(*, scale: float = 1.0, selftest: Path | None = None) -> dict[str, Any]:
    """All figures; `scale` is the share of the simulations to make."""
    started = time.perf_counter()
    rngs = iter(np.random.default_rng(SEED).spawn(6))

    def n(full: int) -> int:
        return max(20, round(full * scale))

    alarms = alarm_table(next(rngs), n(40_000))
    certificates = certificate_table(next(rngs), n(40_000))
    clustered = clustered_table(next(rngs), n(2_000))
    unchanged = unchanged_gates(next(rngs), n(2_000))
    family = family_power(next(rngs), n(500))
    early = early_table(next(rngs), n(2_000))
    stopped = {row["reading"]: row for row in early if row["effect"] == -0.08}
    false_certificates = [row["rates"]["ours"] for row in (*certificates, *clustered)]
    return {
        "alpha": ALPHA,
        "aa_false_alarm": unchanged["rates"]["ours, margin 0 pt"],
        "power_n200_minus5pt": power_of(alarms, n=200, effect=-0.05),
        "false_certify_at_margin_max": max(row["rates"]["ours"] for row in certificates),
        "false_certify_with_clusters_max": max(false_certificates),
        "early_stop_fraction_minus8pt": stopped["suite"]["fraction"],
        "early_stop_fraction_minus8pt_population": stopped["population"]["fraction"],
        "planted_caught": None
        if selftest is None
        else json.loads(selftest.read_text("utf-8"))["planted_caught"],
        "bounds": {
            str(looks): [round(z, 3) for z in spending_bounds(equal_looks(looks))] for looks in (4, 5)
        },
        "tables": {
            "alarms": alarms,
            "level_keepers": best_among_level_keepers(alarms, n_suites=n(40_000)),
            "certificates": certificates,
            "clustered_certificates": clustered,
            "unchanged_gates": unchanged,
            "family_power": family,
            "early_stopping": early,
        },
        "simulated": {"scale": scale, "seed": SEED, "seconds": round(time.perf_counter() - started, 1)},
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with all tables")
    parser.add_argument("--quick", action="store_true", help="a tenth of the simulations")
    parser.add_argument("--selftest", type=Path, help="a file that `harness selftest --json` wrote")
    arguments = parser.parse_args()
    found = measure(scale=0.1 if arguments.quick else 1.0, selftest=arguments.selftest)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if not isinstance(value, dict):
            print(f"{name:42} {value}")


if __name__ == "__main__":
    main()
