"""lm-eval's own tasks by a scan of their files' text: a second, where its full index takes ten to thirty."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IGNORED_FOLDERS = frozenset({"__pycache__", ".ipynb_checkpoints"})
_NAMED = re.compile(rb"""^["']?(task|group)["']?[ \t]*:[ \t]*["']?([^"'\n#]*)""", re.MULTILINE)
_INCLUDE = re.compile(rb"""^["']?include["']?[ \t]*:(.*(?:\n[ \t]*-.*)*)""", re.MULTILINE)
_INCLUDED = re.compile(r"""[^\s"'\[\],#]+""")


@dataclass(frozen=True, slots=True)
class ScannedTasks:
    """What the text of a folder's YAML files shows.

    Args:
        files: The file of each task or group; of several the first, as in lm-eval's index.
        texts: Every file, templates that only others include among them.
        includers: The files that include a file.
    """

    files: Mapping[str, Path]
    texts: Mapping[Path, bytes]
    includers: Mapping[Path, Sequence[Path]]

    def mentions(self, name: str) -> bool:
        """Whether a name stands anywhere in the text: every tag does, a misspelt name does not."""
        needle = name.encode("utf-8", "replace")
        return any(needle in text for text in self.texts.values())

    def files_with(self, name: str) -> list[Path]:
        """Files that may carry a tag, in order: those whose text has it, and those that include such a file."""
        needle = name.encode("utf-8", "replace")
        found: set[Path] = set()
        waiting = [path for path, text in self.texts.items() if needle in text]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting.extend(self.includers.get(path, ()))
        return sorted((path for path in found if path.suffix == ".yaml"), key=lambda path: path.as_posix())


def scanned_tasks(root: Path) -> ScannedTasks:
    """Reads every YAML file under a folder as text."""
    texts = {path: path.read_bytes() for path in _yaml_files(root)}
    files: dict[str, Path] = {}
    includers: dict[Path, list[Path]] = {}
    for path, text in texts.items():
        for block in _INCLUDE.findall(text):
            for name in _INCLUDED.findall(block.decode("utf-8", "replace")):
                includers.setdefault(Path(os.path.normpath(path.parent / name)), []).append(path)
        if path.suffix == ".yaml":
            named = {key: value.strip() for key, value in reversed(_NAMED.findall(text))}
            shown = named.get(b"group") or named.get(b"task")
            if shown:
                files.setdefault(shown.decode("utf-8", "replace"), path)
    return ScannedTasks(files, texts, includers)


def _yaml_files(root: Path) -> list[Path]:
    """Templates are often named without a dot, such as `_default_template_yaml`."""
    found: list[Path] = []
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if name not in IGNORED_FOLDERS]
        found.extend(Path(folder, name) for name in names if name.endswith("yaml"))
    return sorted(found, key=lambda path: path.as_posix())


def entries_of(
    scanned: ScannedTasks,
    names: Sequence[str],
    *,
    known: Mapping[str, Any],
    children_of: Callable[[Mapping[str, Any]], Iterable[tuple[str, bool]]],
) -> dict[str, Any] | None:
    """lm-eval's index entries of some names and all that their groups lead to.

    Args:
        scanned: From `scanned_tasks`.
        names: Tasks or groups.
        known: Entries that are there already, which win.
        children_of: The names that a group's config refers to, and whether each must be there: a task may also be
            written out in the group's file.

    Returns:
        None where a name is no task, group or tag of the scan: then only lm-eval's full index can tell.
    """
    found: dict[str, Any] = {}
    waiting = [(name, True) for name in names]
    while waiting:
        name, is_needed = waiting.pop()
        if name in found:
            continue
        entry = known.get(name) or _entry(scanned, name)
        if entry is not None:
            found[name] = entry
            is_tag = entry.kind.name == "TAG"
            waiting.extend(
                [(tagged, True) for tagged in entry.tags] if is_tag else children_of(entry.cfg or {})
            )
        elif is_needed:
            return None
    return found


def _entry(scanned: ScannedTasks, name: str) -> Any:
    """The entry that lm-eval's index makes of the files that bear a name, or None."""
    from lm_eval.tasks._index import TaskIndex
    from lm_eval.tasks._yaml_loader import load_yaml

    index: dict[str, Any] = {}
    path = scanned.files.get(name)
    for each in scanned.files_with(name) if path is None else [path]:
        config = load_yaml(each, resolve_func=False)
        if path is None and name not in _tags(config):
            continue
        TaskIndex.process_cfg(config, each, index)
    return index.get(name)


def _tags(config: Mapping[str, Any]) -> list[str]:
    tags = config.get("tag") or []
    return [tags] if isinstance(tags, str) else list(tags)
