"""A suite's own files, from inside its folder only."""

from __future__ import annotations

from pathlib import Path


def inside(folder: Path, name: str) -> Path | str:
    """The file of that name in the folder, or why it is refused.

    A link that leaves the folder is refused like a path that does: a suite that is copied, hashed or shipped
    must bring all it reads.
    """
    if Path(name).is_absolute() or "\\" in name:
        return f"expected a file name inside the suite's folder, got '{name}'; copy the file into the folder"
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"'{name}' leads out of the suite's folder; copy the file into the folder"
    return path
