"""Units found by file name: the unit `typo` is the function `typo` in `<package>/typo.py`.

Listing reads file names and imports nothing. Third parties add units through entry points of the group
`sft_harness.<kind>`, whose names must not clash with ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any

from harness.core.errors import UsageError
from harness.core.naming import unknown_name


class Registry:
    """The units of one kind, by name.

    Args:
        kind: What a unit is called in messages, e.g. "metric".
        package: Dotted name of the package whose files are the units.
        group: Entry-point group for third parties' units.
    """

    def __init__(self, kind: str, package: str, *, group: str) -> None:
        self.kind = kind
        self.package = package
        self.group = group
        self._found: dict[str, Callable[..., Any]] = {}

    def _own(self) -> set[str]:
        package = importlib.import_module(self.package)
        return {
            module.name
            for module in iter_modules(package.__path__)
            if not module.name.startswith("_") and not module.ispkg and module.name not in _machinery(package)
        }

    def names(self) -> list[str]:
        """All names, sorted; nothing is imported but the package itself."""
        return sorted(self._own() | {entry.name for entry in entry_points(group=self.group)})

    def get(self, name: str) -> Callable[..., Any]:
        """The unit's function.

        Raises:
            UnknownName: With the nearest names.
            UsageError: If a third party's unit takes one of our names.
        """
        if name not in self._found:  # looking through all installed packages costs some 30 ms
            self._found[name] = self._looked_up(name)
        return self._found[name]

    def _looked_up(self, name: str) -> Callable[..., Any]:
        own = self._own()
        foreign = {entry.name: entry for entry in entry_points(group=self.group)}
        clash = own & set(foreign)
        if clash:
            raise UsageError(
                f"The {self.kind} '{min(clash)}' of entry point {foreign[min(clash)].value} "
                "has a built-in's name; rename it."
            )
        if name in own:
            module = importlib.import_module(f"{self.package}.{name}")
            unit: Callable[..., Any] = getattr(module, name)
            return unit
        if name in foreign:
            loaded: Callable[..., Any] = foreign[name].load()
            return loaded
        raise unknown_name(self.kind, name, self.names())


def _machinery(package: Any) -> frozenset[str]:
    """Files of the package that are no units: named in its `MACHINERY`."""
    return frozenset(getattr(package, "MACHINERY", ()))
