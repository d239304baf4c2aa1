"""Starting costs nothing heavy: the package, its help and its listings load no model library."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "lm_eval", "datasets", "peft", "sklearn", "pandas", "streamlit")
REPORT = f"import sys; print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"


def _loaded_by(statements: str) -> list[str]:
    """Which heavy libraries a fresh interpreter holds after these statements."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statements}\n{REPORT}"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1].split()
    assert last[0] == "LOADED", done.stdout
    return last[1:]


def _help(*words: str) -> str:
    return (
        f"import sys; sys.argv = {['harness', *words, '--help']!r}\n"
        "from harness.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as leaving:\n    assert not leaving.code, leaving.code"
    )


def _require(module: str) -> None:
    """Skips while a module is not written; once its file is there, an import that fails is a failure."""
    path = REPOSITORY / module.replace(".", "/")
    if not (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()):
        pytest.skip(f"{module} is not there yet")


@pytest.mark.parametrize("module", ["harness", "harness.core"])
def test_importing_the_package_loads_nothing_heavy(module: str) -> None:
    assert _loaded_by(f"import {module}") == []


@pytest.mark.parametrize(
    "package", ["prompting", "transforms", "metrics", "taxonomy", "store", "suites", "stats", "report"]
)
def test_importing_a_room_loads_no_model_library(package: str) -> None:
    if importlib.util.find_spec(f"harness.{package}") is None:
        pytest.skip(f"harness.{package} is not there yet")
    models = {"torch", "transformers", "lm_eval", "datasets", "peft", "streamlit"}
    assert not models & set(_loaded_by(f"import harness.{package}"))


@pytest.mark.parametrize("words", [(), ("run",), ("gate",), ("suites",)], ids=" ".join)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    _require("harness.cli.main")
    assert _loaded_by(_help(*words)) == []


def test_the_pytest_plugin_loads_nothing_heavy() -> None:
    _require("harness.pytest_plugin")
    assert _loaded_by("import harness.pytest_plugin") == []


def test_a_pytest_session_without_gates_loads_nothing_of_ours_but_the_plugin(tmp_path: Path) -> None:
    """What the package costs everyone who has it installed and does something else."""
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    statements = (
        "import sys, pytest\n"
        f"assert pytest.main(['-q', '-p', 'no:cacheprovider', {str(tmp_path)!r}]) == 0\n"
        "ours = sorted(name for name in sys.modules if name.startswith('harness'))\n"
        "assert set(ours) <= {'harness', 'harness.pytest_plugin'}, ours"
    )
    assert _loaded_by(statements) == []


def test_a_heavy_import_is_seen() -> None:
    assert _loaded_by("import sys, types; sys.modules['torch'] = types.ModuleType('torch')") == ["torch"]
