"""Which tasks there are: lm-eval's own and those in the user's folders, and what is wrong with the latter."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import TaskError
from harness.core.naming import suggestion

if TYPE_CHECKING:
    from lm_eval.tasks import TaskManager

IGNORED_FOLDERS = frozenset({"__pycache__", ".ipynb_checkpoints"})


def task_manager(names: Sequence[str], include_paths: Sequence[Path]) -> tuple[TaskManager, tuple[str, ...]]:
    """lm-eval's task manager with every name in it, and the names with patterns resolved.

    Its own 14,000 tasks are indexed (some ten seconds) only where a name is not in the user's folders.

    Args:
        names: Tasks, groups, tags, patterns with `*`, or paths of YAML files.
        include_paths: Folders with the user's YAML files; they win over tasks of lm-eval's own.

    Raises:
        TaskError: If a name is unknown, a folder is not there, or a YAML file in it cannot be read.
    """
    from lm_eval.tasks import TaskManager

    for folder in include_paths:
        if not folder.is_dir():
            raise TaskError(
                f"The task folder '{folder}' is not there; give the folder with your tasks' YAML files."
            )
        check_yaml_files(folder)
    paths = [str(folder.resolve()) for folder in include_paths]
    manager = TaskManager(include_path=paths, include_defaults=False)
    if not _all_known(manager, names):
        manager = TaskManager(include_path=paths, include_defaults=True)
    resolved = tuple(dict.fromkeys(found for name in names for found in _resolved(manager, name)))
    for name in _reachable(manager.task_index, resolved):
        _resolve_data_files(manager.task_index, name)
    return manager, resolved


def _all_known(manager: TaskManager, names: Sequence[str]) -> bool:
    index = manager.task_index
    for name in names:
        if _is_file(name):
            entry = _entry_of_file(Path(name))
            children = list(_children(entry.cfg or {}))
            if any(child not in index for child in children):
                return False
        elif not manager.match_tasks([name]):
            return False
    reached = _reachable(index, [name for name in names if name in index])
    return all(name in index for name in reached)


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) and Path(name).is_file()


def _entry_of_file(path: Path) -> Any:
    from lm_eval.tasks._index import TaskIndex
    from lm_eval.tasks._yaml_loader import load_yaml

    check_yaml_file(path)
    try:
        entry = TaskIndex.entry_from_path(path)
    except ValueError as error:
        raise TaskError(f"{path}: {error}; a task's file needs the key `task`, a group's `group`.") from error
    if entry is None:
        raise TaskError(f"{path}: it names no task; add the key `task`.")
    return replace(entry, cfg=load_yaml(path, resolve_func=False))


def _resolved(manager: TaskManager, name: str) -> list[str]:
    """The registered names that a name, pattern or file stands for."""
    if _is_file(name):
        entry = _entry_of_file(Path(name))
        manager.task_index[entry.name] = entry
        return [entry.name]
    if name in manager.task_index:
        return [name]
    found = sorted(manager.match_tasks([name])) if any(sign in name for sign in "*?[") else []
    if found:
        return found
    where = "" if manager.include_path else " Tasks of your own are found with --include-path FOLDER."
    if name.endswith((".yaml", ".yml")):
        raise TaskError(f"There is no task file '{name}'.{where}")
    hint = suggestion(name, manager.all_tasks)
    raise TaskError(f"No lm-eval task, group or tag named '{name}'.{hint}{where}")


def _children(config: Mapping[str, Any]) -> Iterator[str]:
    """Names of tasks and groups that a group's file refers to; tasks written out in it have no name of their own."""
    members = config.get("task")
    if not isinstance(members, list):
        return
    for member in members:
        if isinstance(member, str):
            yield member
        elif isinstance(member, Mapping):
            if isinstance(member.get("task"), list):
                yield from _children(member)
            elif isinstance(member.get("task"), str) and len(member) < 3 and "dataset_path" not in member:
                yield member["task"]


def _reachable(index: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """The names and everything their groups and tags lead to, known or not."""
    seen: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen[name] = None
        entry = index.get(name)
        if entry is not None:
            waiting.extend(entry.tags if entry.kind.name == "TAG" else _children(entry.cfg or {}))
    return list(seen)


def check_yaml_files(folder: Path) -> None:
    """Refuses a folder with a YAML file that cannot be read: lm-eval would silently leave the task out.

    Raises:
        TaskError: Naming every such file with line and column.
    """
    faults = []
    for path in sorted(folder.glob("**/*.yaml")):
        if IGNORED_FOLDERS & set(path.parts):
            continue
        try:
            check_yaml_file(path)
        except TaskError as error:
            faults.append(str(error))
    if faults:
        raise TaskError("\n".join(faults))


def check_yaml_file(path: Path) -> None:
    """Refuses a YAML file that cannot be read, or whose `include` is not there.

    Raises:
        TaskError: With line and column.
    """
    import yaml
    from lm_eval.tasks._yaml_loader import load_yaml

    try:
        load_yaml(path, resolve_func=False)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
        raise TaskError(f"{path}{where}: not valid YAML: {error.problem or error.context}.") from error
    except (yaml.YAMLError, ValueError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: {_first_line(error)}") from error
    except OSError as error:
        raise TaskError(
            f"{path}: cannot read '{error.filename or path}': {error.strerror or error}."
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _resolve_data_files(index: dict[str, Any], name: str) -> None:
    """Makes a task's relative data files absolute where they lie beside its YAML file.

    lm-eval looks for them from the working directory, so that a task folder works from one place only. A file that
    is not beside the YAML is left to that rule.
    """
    from lm_eval.tasks._yaml_loader import load_yaml

    entry = index.get(name)
    if entry is None or entry.yaml_path is None or not entry.cfg:
        return
    arguments = entry.cfg.get("dataset_kwargs")
    if not isinstance(arguments, Mapping):
        return
    folder = Path(entry.yaml_path).resolve().parent
    changed = {
        key: _beside(arguments[key], folder)
        for key in ("data_files", "data_dir")
        if arguments.get(key) is not None
    }
    if all(arguments[key] == value for key, value in changed.items()):
        return
    config = load_yaml(entry.yaml_path, resolve_func=True)
    config["dataset_kwargs"] = {**config["dataset_kwargs"], **changed}
    index[name] = replace(entry, yaml_path=None, cfg=config)


def _beside(value: Any, folder: Path) -> Any:
    if isinstance(value, str):
        beside = folder / value
        is_there = beside.exists() or bool(glob.glob(str(beside)))
        return str(beside) if is_there and not Path(value).is_absolute() else value
    if isinstance(value, list):
        return [_beside(each, folder) for each in value]
    if isinstance(value, Mapping):
        return {key: _beside(each, folder) for key, each in value.items()}
    return value
