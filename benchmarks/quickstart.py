"""How long a newcomer waits: the demo, the help, the import. `python -m benchmarks.quickstart --json`"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
REPEATS = 5


def seconds_of(command: Sequence[str]) -> float:
    """Wall-clock seconds of one process.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | OFFLINE
    )
    return time.perf_counter() - started


def measure() -> dict[str, object]:
    """Median seconds of `harness --help` and `import harness`, seconds of a fresh demo, peak memory of it."""
    harness = [sys.executable, "-m", "harness"]
    helps = [seconds_of([*harness, "--help"]) for _ in range(REPEATS)]
    imports = [seconds_of([sys.executable, "-c", "import harness"]) for _ in range(REPEATS)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        demo = seconds_of([*harness, "demo", "--folder", folder])
    peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    scale = 1 if platform.system() == "Darwin" else 1024  # bytes there, kilobytes on Linux
    return {
        "demo_seconds": round(demo, 1),
        "help_seconds": round(statistics.median(helps), 3),
        "import_seconds": round(statistics.median(imports), 3),
        "peak_mb": round(peak * scale / 2**20),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    found = measure()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
