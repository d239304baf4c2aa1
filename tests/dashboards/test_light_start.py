"""The dashboard's server starts without a model library: it reads tables, it asks no model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "lm_eval", "datasets", "peft")
PAGES = sorted(path.stem for path in (REPOSITORY / "dashboards" / "screens").glob("[a-z]*.py"))


def test_the_pages_load_no_model_library() -> None:
    modules = ["dashboards.app", *(f"dashboards.screens.{page}" for page in PAGES)]
    statements = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", statements],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert PAGES == ["compare", "items", "robustness", "verdict"]
