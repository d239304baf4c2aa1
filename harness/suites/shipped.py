"""Where the challenge sets of the project lie: beside the checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

from harness.core.naming import unknown_name

SUITE_FILE = "suite.yaml"
_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_folder() -> Path:
    """The folder of the shipped challenge sets."""
    installed = _PACKAGE / "_shipped" / "challenge_sets"
    return installed if installed.is_dir() else _PACKAGE.parent / "challenge_sets"


def suite_names() -> list[str]:
    """Names of the shipped suites, sorted; no suite is read."""
    folder = shipped_folder()
    if not folder.is_dir():
        return []
    return sorted(path.parent.name for path in folder.glob(f"*/{SUITE_FILE}"))


def locate(name_or_path: str | Path) -> Path:
    """The folder of a shipped suite, or of a path.

    A text that is a shipped name is that suite, whatever folders are there: write ./name for a folder.

    Raises:
        UnknownName: If it is neither, with the nearest shipped names.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, str) and text in suite_names():
        return shipped_folder() / text
    path = Path(name_or_path).expanduser()
    if path.name == SUITE_FILE and path.is_file():
        return path.parent
    if path.is_dir():
        return path
    error = unknown_name("suite", text, suite_names())
    hint = " A suite of your own is named by its folder, e.g. ./my-suite."
    raise type(error)(f"{error}{hint}")
