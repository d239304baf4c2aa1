"""Which tasks there are: lm-eval's own and those in the user's folders, and what is wrong with the latter."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import TaskError
from harness.core.naming import suggestion
from harness.lmeval.own_tasks import IGNORED_FOLDERS, entries_of, scanned_tasks

if TYPE_CHECKING:
    from lm_eval.tasks import TaskManager


def task_manager(names: Sequence[str], include_paths: Sequence[Path]) -> tuple[TaskManager, tuple[str, ...]]:
    """lm-eval's task manager with every name in it, and the names with patterns resolved.

    Its own 14,000 tasks are looked at only where a name is not in the user's folders, and all of them indexed (ten
    seconds and more) only for patterns.

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
    if not _all_known(manager, names) and not _own_added(manager, names):
        manager = TaskManager(include_path=paths, include_defaults=True)
    resolved = tuple(dict.fromkeys(found for name in names for found in _resolved(manager, name)))
    return manager, resolved


def configs_of(manager: TaskManager, names: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The names and everything they lead to, each with its file's content as far as the index has it."""
    for name in _reachable(manager.task_index, names):
        entry = manager.task_index.get(name)
        if entry is not None:
            yield name, entry.cfg or {}


def _all_known(manager: TaskManager, names: Sequence[str]) -> bool:
    index = manager.task_index
    wanted = [name for name in names if not _is_file(name) and not _is_pattern(name)]
    wanted += _needed_by_files(names)
    if any(_is_pattern(name) and not manager.match_tasks([name]) for name in names):
        return False
    return all(name in index for name, is_needed in _reachable(index, wanted).items() if is_needed)


def _needed_by_files(names: Sequence[str]) -> list[str]:
    """What the groups among the named files lead to."""
    configs: list[Mapping[str, Any]] = [
        _entry_of_file(Path(name)).cfg or {} for name in names if _is_file(name)
    ]
    return [child for config in configs for child, is_needed in _children(config) if is_needed]


def _own_added(manager: TaskManager, names: Sequence[str]) -> bool:
    """Whether all names are there once what they need of lm-eval's own tasks, groups and tags is added.

    Raises:
        TaskError: If a name stands nowhere in the files of lm-eval's tasks.
    """
    import lm_eval.tasks

    if any(_is_pattern(name) for name in names):
        return False
    missing = [name for name in names if not _is_file(name) and name not in manager.task_index]
    scanned = scanned_tasks(Path(lm_eval.tasks.__file__).resolve().parent)
    for name in missing:
        if not scanned.mentions(name):
            raise _unknown(manager, name, {*scanned.files, *manager.all_tasks})
    wanted = [name for name in names if not _is_file(name)] + _needed_by_files(names)
    entries = entries_of(scanned, wanted, known=manager.task_index, children_of=_children)
    if entries is None:
        return False
    manager.task_index.update(entries)
    return True


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _unknown(manager: TaskManager, name: str, known: Iterable[str]) -> TaskError:
    where = "" if manager.include_path else " Tasks of your own are found with --include-path FOLDER."
    if name.endswith((".yaml", ".yml")):
        return TaskError(f"There is no task file '{name}'.{where}")
    return TaskError(f"No lm-eval task, group or tag named '{name}'.{suggestion(name, known)}{where}")


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
    found = sorted(manager.match_tasks([name])) if _is_pattern(name) else []
    if not found:
        raise _unknown(manager, name, manager.all_tasks)
    return found


def _children(config: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Names of tasks, groups and tags that a group's file refers to, and whether they must be known.

    A member with a data set of its own is a task written out in the group's file where its name is not known.
    """
    members = config.get("task")
    for member in members if isinstance(members, list) else ():
        if isinstance(member, str):
            yield member, True
        elif isinstance(member, Mapping):
            if isinstance(member.get("group"), str):
                yield member["group"], False
            if isinstance(member.get("task"), str):
                yield member["task"], not {"dataset_path", "custom_dataset", "class"} & set(member)
            else:
                yield from _children(member)


def _reachable(index: Mapping[str, Any], names: Iterable[str]) -> dict[str, bool]:
    """The names and everything their groups and tags lead to, and whether each must be known."""
    seen: dict[str, bool] = {}
    waiting = [(name, True) for name in names]
    while waiting:
        name, is_needed = waiting.pop()
        if seen.get(name, False) or (name in seen and not is_needed):
            continue
        seen[name] = is_needed
        entry = index.get(name)
        if entry is not None:
            is_tag = entry.kind.name == "TAG"
            waiting.extend(
                [(tagged, True) for tagged in entry.tags] if is_tag else _children(entry.cfg or {})
            )
    return seen


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


def resolve_data_files(manager: TaskManager, name: str) -> None:
    """Makes relative data files of a task, or of a group's tasks, absolute where they lie beside their YAML file.

    lm-eval looks for them from the working directory, so that a task folder works from one place only. A file that
    is not beside the YAML is left to that rule. Functions that such a task brings are imported here.
    """
    for each in _reachable(manager.task_index, [name]):
        _resolve_own_data_files(manager.task_index, each)


def _resolve_own_data_files(index: dict[str, Any], name: str) -> None:
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
