"""The budget of the style page: short functions and files, telling names, nothing unsafe or swallowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MOST_FUNCTION_LINES = 100
MOST_FILE_LINES = 500
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
PICKLING = frozenset({"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"})
# The command line's last line, where an unforeseen error becomes one message.
LAST_LINE = Path("harness/cli/main.py")


def _sources() -> list[Path]:
    tops = ("harness", "dashboards", "benchmarks")
    files = [path for top in tops for path in sorted((REPOSITORY / top).rglob("*.py"))]
    return [path.relative_to(REPOSITORY) for path in files if "_shipped" not in path.parts]


def _names(node: ast.expr | None) -> set[str]:
    if isinstance(node, ast.Tuple):
        return {name for element in node.elts for name in _names(element)}
    return {node.id} if isinstance(node, ast.Name) else set()


def _is_blind(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches what it cannot name; tidying up and raising again is no catch."""
    ends_in_raise = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    blind = handler.type is None or bool({"Exception", "BaseException"} & _names(handler.type))
    return blind and not ends_in_raise


def _unsafe_call(node: ast.Call) -> str | None:
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}:
        return f"calls {node.func.id}()"
    if isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "torch.load":
        safe = keywords.get("weights_only")
        if not (isinstance(safe, ast.Constant) and safe.value is True):
            return "calls torch.load() without weights_only=True"
    pickled = keywords.get("allow_pickle")
    if isinstance(pickled, ast.Constant) and pickled.value is True:
        return "reads with allow_pickle=True"
    return None


def _unsafe_import(node: ast.AST) -> str | None:
    if isinstance(node, ast.Import):
        tops = {alias.name.split(".")[0] for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and not node.level:
        tops = {(node.module or "").split(".")[0]}
    else:
        return None
    return f"imports {', '.join(sorted(tops & PICKLING))}" if tops & PICKLING else None


def faults(source: str, path: Path) -> Iterator[str]:
    """What one file has against the budget, each with its line."""
    if path.stem in VAGUE_NAMES or VAGUE_NAMES & set(path.parts):
        yield "1: the name says nothing; name the one idea in it"
    n_lines = len(source.splitlines())
    if n_lines > MOST_FILE_LINES:
        yield f"1: {n_lines} lines; the most is {MOST_FILE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            n_lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if n_lines > MOST_FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {n_lines} lines; the most is {MOST_FUNCTION_LINES}"
        elif isinstance(node, ast.ExceptHandler):
            if path != LAST_LINE and _is_blind(node):
                yield f"{node.lineno}: catches what it does not name"
        elif isinstance(node, ast.Call):
            if (fault := _unsafe_call(node)) is not None:
                yield f"{node.lineno}: {fault}"
        elif (fault := _unsafe_import(node)) is not None:
            yield f"{node.lineno}: {fault}"


def test_every_file_keeps_the_budget() -> None:
    found = [
        f"{path}:{fault}"
        for path in _sources()
        for fault in faults((REPOSITORY / path).read_text(encoding="utf-8"), path)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("harness/utils.py", ""),
        ("harness/common/io.py", ""),
        ("harness/long.py", "\n" * 501),
        ("harness/long.py", "def f():\n" + "    x = 1\n" * 100),
        ("harness/blind.py", "try:\n    x = 1\nexcept Exception:\n    pass"),
        ("harness/blind.py", "try:\n    x = 1\nexcept (ValueError, BaseException) as error:\n    x = 2"),
        ("harness/blind.py", "try:\n    x = 1\nexcept:\n    x = 2"),
        ("harness/unsafe.py", "import pickle"),
        ("harness/unsafe.py", "def f():\n    from joblib import load"),
        ("harness/unsafe.py", "eval('1')"),
        ("harness/unsafe.py", "import torch\ntorch.load('weights.bin')"),
        ("harness/unsafe.py", "import numpy\nnumpy.load('a.npy', allow_pickle=True)"),
    ],
)
def test_a_planted_fault_is_found(name: str, source: str) -> None:
    assert len(list(faults(source, Path(name)))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("harness/whole.py", "\n" * 500),
        ("harness/whole.py", "def f():\n" + "    x = 1\n" * 99),
        ("harness/tidy.py", "try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise"),
        ("harness/cli/main.py", "try:\n    x = 1\nexcept Exception:\n    x = 2"),
        ("harness/model.py", "model.eval()\nimport torch\ntorch.load('w', weights_only=True)"),
    ],
)
def test_what_the_budget_allows_is_accepted(name: str, source: str) -> None:
    assert list(faults(source, Path(name))) == []
