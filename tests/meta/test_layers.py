"""Every module imports only rooms that stand earlier in the one order of names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# A room imports only rooms of an earlier row; rooms of one row do not know each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("formats",),
    ("stats",),
    ("prompting",),
    ("transforms",),
    ("metrics",),
    ("taxonomy",),
    ("store",),
    ("suites",),
    ("engine",),
    ("lmeval",),
    ("backends",),
    ("evaluation",),
    ("audit",),
    ("finetune",),
    ("comparison",),
    ("robustness",),
    ("policy",),
    ("gating",),
    ("diagnosis",),
    ("cure",),
    ("report",),
    ("demo",),
    ("cli", "pytest_plugin", "dashboards"),
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
SHELLS = frozenset(LAYERS[-1])
# The package's face re-exports the verbs, `python -m harness` starts the command: both stand above all.
FACE = frozenset({"__init__", "__main__"})
# A foreign library with one importer: library -> the rooms that may import it.
SOLE_IMPORTERS = {"lm_eval": frozenset({"lmeval"}), "streamlit": frozenset({"dashboards"})}


def imported_names(tree: ast.Module, *, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import anywhere in a module, `import_module("...")` included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*above, node.module) if node.module else above)
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def room_of(module: tuple[str, ...]) -> str | None:
    """The room of a dotted name of ours, None for foreign ones; the face for names that are no room."""
    if module[0] == "dashboards":
        return "dashboards"
    if module[0] != "harness":
        return None
    return module[1] if len(module) > 1 and module[1] in RANK else "__init__"


def faults(source: str, module: tuple[str, ...], *, is_package: bool = False) -> list[str]:
    """What one module imports against the order, each with its line; `module` is its dotted name."""
    room = room_of(module)
    package = module if is_package else module[:-1]
    found = []
    for line, name in imported_names(ast.parse(source), package=package):
        target = tuple(name.split("."))
        allowed = SOLE_IMPORTERS.get(target[0])
        if allowed is not None and room not in allowed:
            found.append(f"line {line}: {target[0]} is imported only in {', '.join(sorted(allowed))}")
        target_room = room_of(target)
        if target_room is None or target_room == room or room == "__init__":
            continue
        if target_room == "__init__":
            if room not in SHELLS:
                found.append(f"line {line}: {room} imports the package's face ({name}); name the room")
        elif RANK[target_room] >= RANK[str(room)]:
            found.append(f"line {line}: {room} imports {target_room}, which does not stand before it")
    return found


def _modules() -> list[Path]:
    files = [path for top in ("harness", "dashboards") for path in sorted((REPOSITORY / top).rglob("*.py"))]
    return [path for path in files if "_shipped" not in path.parts]


def _dotted(path: Path) -> tuple[str, ...]:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def test_every_module_imports_only_earlier_rooms() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}, {fault}"
        for path in _modules()
        for fault in faults(
            path.read_text(encoding="utf-8"), _dotted(path), is_package=path.name == "__init__.py"
        )
    ]
    assert not found, "\n".join(found)


def test_every_room_has_a_place_in_the_order() -> None:
    rooms = {
        path.relative_to(REPOSITORY / "harness").parts[0].removesuffix(".py")
        for path in _modules()
        if path.is_relative_to(REPOSITORY / "harness")
    }
    unknown = rooms - set(RANK) - FACE
    assert not unknown, f"no place in LAYERS for {sorted(unknown)}"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("harness.core.items", "from harness.stats import binary"),
        ("harness.core.items", "import harness.stats.binary"),
        ("harness.stats.binary", "from harness import gating"),
        ("harness.stats.binary", "from ..suites import load"),
        ("harness.stats.binary", "def f():\n    from harness.store import runs"),
        ("harness.stats.binary", "import harness"),
        ("harness.stats.binary", "from harness import gate"),
        ("harness.gating", "from .report import tables"),
        ("harness.gating", "import importlib\nimportlib.import_module('harness.report')"),
        ("harness.backends.any", "import lm_eval"),
        ("harness.cli.run", "from lm_eval.api.model import LM"),
        ("harness.cli.run", "from harness.pytest_plugin import gate"),
        ("harness.cli.dashboard", "from streamlit.web import cli"),
        ("dashboards.app", "import harness.cli.main"),
        ("harness.report.html", "from dashboards import app"),
    ],
)
def test_an_import_against_the_order_is_found(module: str, source: str) -> None:
    assert len(faults(source, tuple(module.split(".")))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("harness.stats.binary", "import scipy.stats\nfrom harness.core import errors\nfrom .mean import t"),
        ("harness.gating", "from harness import comparison, policy"),
        ("harness.lmeval.tasks", "import lm_eval"),
        ("harness.cli.run", "import harness\nfrom harness import evaluation"),
        ("dashboards.app", "import streamlit\nfrom dashboards.pages import verdict\nimport harness"),
    ],
)
def test_an_import_that_follows_the_order_is_accepted(module: str, source: str) -> None:
    assert faults(source, tuple(module.split("."))) == []


def test_relative_imports_of_a_package_are_read_from_the_package() -> None:
    assert faults("from .binary import x", ("harness", "stats"), is_package=True) == []
    assert faults("from ..gating import x", ("harness", "stats"), is_package=True) != []
