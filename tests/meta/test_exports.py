"""`__all__` says exactly what a module exports."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements at a module's top, those under `if TYPE_CHECKING` and `try` included."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _top_level([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handled = (line for handler in node.handlers for line in handler.body)
            yield from _top_level([*node.body, *handled, *node.orelse])


def _assigned(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Assign):
        targets = [name for target in node.targets for name in ast.walk(target)]
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _listed(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if "__all__" in _assigned(node):
            value = getattr(node, "value", None)
            assert isinstance(value, ast.List | ast.Tuple), "__all__ is not a literal list"
            return [element.value for element in value.elts if isinstance(element, ast.Constant)]
    return None


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.Import):
        return False
    return bool(node.level) or (node.module or "").startswith("harness.")


def faults(source: str, *, is_package: bool) -> list[str]:
    """Where `__all__` and the module differ; a module without `__all__` has none.

    Functions and classes written here must be listed, and in a package's `__init__` also what it imports
    from its own project. Constants and type aliases may be.
    """
    tree = ast.parse(source)
    listed = _listed(tree)
    if listed is None:
        return []
    there, owed = set(), set()
    for node in _top_level(tree.body):
        there.update(_assigned(node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            there.add(node.name)
            owed.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            there |= names
            if is_package and _is_ours(node):
                owed |= names
    owed = {name for name in owed if not name.startswith("_")}
    lazy = is_package and "__getattr__" in there
    found = [f"{name} is exported but not in __all__" for name in sorted(owed - set(listed))]
    if not lazy:
        found += [f"{name} is in __all__ but not there" for name in sorted(set(listed) - there)]
    twice = {name for name in listed if listed.count(name) > 1}
    found += [f"{name} stands twice in __all__" for name in sorted(twice)]
    return found


def test_every_list_of_exports_is_what_the_module_exports() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {fault}"
        for path in sorted((REPOSITORY / "harness").rglob("*.py"))
        for fault in faults(path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
    ]
    assert not found, "\n".join(found)


def test_every_name_the_package_promises_can_be_had() -> None:
    package = importlib.import_module("harness")
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name) is not None, name


@pytest.mark.parametrize(
    ("source", "is_package"),
    [
        ("__all__ = ['f']\ndef f(): ...\ndef g(): ...", False),
        ("__all__ = ['f', 'g']\ndef f(): ...", False),
        ("__all__ = ['f', 'f']\ndef f(): ...", False),
        ("from .a import f, g\n__all__ = ['f']", True),
        ("from harness.core.a import f, g\n__all__ = ['f']", True),
    ],
)
def test_a_list_that_differs_is_found(source: str, *, is_package: bool) -> None:
    assert len(faults(source, is_package=is_package)) == 1


@pytest.mark.parametrize(
    ("source", "is_package"),
    [
        ("def f(): ...", False),
        ("from re import match\n__all__ = ['f', 'SIZE']\nSIZE = 3\ndef f(): ...\ndef _g(): ...", False),
        ("from .a import f\nfrom re import match\n__all__ = ['f']", True),
        ("__all__ = ['f']\ndef __getattr__(name): ...", True),
    ],
)
def test_a_list_that_agrees_is_accepted(source: str, *, is_package: bool) -> None:
    assert faults(source, is_package=is_package) == []
