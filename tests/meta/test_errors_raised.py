"""The tree of errors is closed: only its classes are raised, and each of them is raised somewhere."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core import errors

REPOSITORY = Path(__file__).resolve().parents[2]
TREE = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, errors.HarnessError)
}
# What Python's own protocols ask for, and the end of a command.
PROTOCOL = frozenset({"AttributeError", "StopIteration", "SystemExit", "AssertionError"})


def _caught_in(function: ast.AST) -> set[str]:
    """Names of what any handler inside a function catches."""
    handlers = [node for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.type]
    return {name.id for handler in handlers for name in ast.walk(handler.type) if isinstance(name, ast.Name)}


def raised_names(node: ast.AST, *, caught: frozenset[str] = frozenset()) -> Iterator[tuple[int, str]]:
    """Line and class name of each `raise Name(...)` that can leave the function it stands in.

    Raising a caught error again by its variable is none; neither is a hook that speaks to a foreign parser
    in the parser's own error, which the function around the hook catches.
    """
    for child in ast.iter_child_nodes(node):
        inside = caught
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = caught | _caught_in(child)
        elif isinstance(child, ast.Raise) and child.exc is not None:
            called = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name[:1].isupper() and name not in caught:
                yield child.lineno, name
        yield from raised_names(child, caught=inside)


def _raised() -> Iterator[tuple[str, str]]:
    for path in sorted((REPOSITORY / "harness").rglob("*.py")):
        for line, name in raised_names(ast.parse(path.read_text(encoding="utf-8"))):
            yield f"{path.relative_to(REPOSITORY)}:{line}", name


def test_only_our_own_errors_are_raised() -> None:
    found = [f"{place}: {name}" for place, name in _raised() if name not in TREE and name not in PROTOCOL]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("raise ValueError('x')", ["ValueError"]),
        ("raise errors.RunNotFound('x') from None", ["RunNotFound"]),
        ("raise KeyError", ["KeyError"]),
        ("try:\n    f()\nexcept OSError as error:\n    raise error", []),
        ("try:\n    f()\nexcept OSError:\n    raise", []),
        ("raise unknown_name('x', names=())", []),
        ("def f(): raise ValueError\ndef g():\n    try: f()\n    except ValueError: ...", ["ValueError"]),
        ("def g():\n    def f(): raise ValueError\n    try: f()\n    except (ValueError, OSError): ...", []),
    ],
)
def test_the_class_of_a_raise_is_read(source: str, names: list[str]) -> None:
    assert [name for _, name in raised_names(ast.parse(source))] == names


def _named_in_tests() -> set[str]:
    files = [path for path in (REPOSITORY / "tests").rglob("*.py") if "meta" not in path.parts]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


def test_every_error_class_is_expected_by_some_test() -> None:
    parents = {base.__name__ for kind in TREE.values() for base in kind.__mro__[1:]}
    unseen = set(TREE) - parents - _named_in_tests()
    assert not unseen, f"no test expects {sorted(unseen)}"


def test_every_error_class_is_raised_somewhere() -> None:
    raised = {base.__name__ for _, name in _raised() if name in TREE for base in TREE[name].__mro__}
    makers = {"UnknownName"}  # made by harness.core.naming.unknown_name, which its callers raise
    assert not set(TREE) - raised - makers
