"""lm-eval tasks loaded and their prompts built: the same ones every time, and one clear error where that fails."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import HarnessError, TaskError
from harness.lmeval.task_index import configs_of, resolve_data_files, task_manager

if TYPE_CHECKING:
    from lm_eval.api.task import Task

# lm-eval's own defaults, so that prompts and numbers are those of a plain `lm_eval` run.
FEWSHOT_SEED = 1234
PYTHON_SEED = 0
NUMPY_SEED = 1234


def load_tasks(
    names: Sequence[str], *, include_paths: Sequence[Path] = (), num_fewshot: int | None = None
) -> tuple[Task, ...]:
    """Every task that the names stand for, ready to build prompts.

    A task whose file says `num_fewshot: 0` keeps it, as in lm-eval.

    Raises:
        TaskError: If a name is unknown, stands for nothing, leads to one task twice, or a task or its data cannot
            be loaded.
    """
    if not names:
        raise TaskError("No task was named; name an lm-eval task, group, tag or YAML file.")
    if num_fewshot is not None and num_fewshot < 0:
        raise TaskError(f"num_fewshot is {num_fewshot}; it must be 0 or more.")
    manager, resolved = task_manager(names, include_paths)
    for name, config in configs_of(manager, resolved):  # before its data and functions are loaded
        _refuse_what_cannot_be_asked(name, runs_code=config.get("unsafe_code"))
    tasks: dict[str, Task] = {}
    for name in resolved:
        with own_random_state(), without_chatter(), clear_failure(f"Task '{name}' cannot be loaded"):
            resolve_data_files(manager, name)
            loaded = manager.load([name])["tasks"]
        for task_name, task in loaded.items():
            if task_name in tasks:
                raise TaskError(
                    f"Task '{task_name}' is named more than once, by itself or through a group; name it once."
                )
            tasks[task_name] = task
    for task_name, task in tasks.items():
        _refuse_what_cannot_be_asked(
            task_name,
            runs_code=getattr(task, "UNSAFE_CODE", False),
            is_multimodal=getattr(task, "MULTIMODAL", False),
        )
        own = task.get_config("num_fewshot")
        if own is None or (num_fewshot is not None and own != 0):
            task.set_config("num_fewshot", num_fewshot or 0)
    if not tasks:
        raise TaskError(f"{', '.join(names)}: there is no task in it.")
    return tuple(tasks.values())


def build_instances(task: Task, *, limit: int | None = None) -> list[Any]:
    """The task's `Instance`s: all calls of all documents, few-shot examples drawn as one lm-eval process draws them.

    lm-eval's default sampler draws for one document after another from one generator, so that the examples depend
    on the documents before. Prompts are therefore always built here, in one process and from the first document on:
    with a limit they are those of the full run.
    """
    name = task.task_name
    task.set_fewshot_seed(FEWSHOT_SEED)
    with (
        own_random_state(),
        without_chatter(),
        clear_failure(f"The prompts of task '{name}' cannot be built"),
    ):
        task.build_all_requests(limit=limit, rank=0, world_size=1)
    return list(task.instances)


def sampler_name(task: Task) -> str:
    """How few-shot examples are drawn: the sampler the task names, or the class it brings."""
    settings = getattr(task, "fewshot_cfg", None)
    sampler = getattr(settings, "sampler", "default")
    return sampler if isinstance(sampler, str) else sampler.__name__


def _refuse_what_cannot_be_asked(name: str, *, runs_code: object, is_multimodal: object = False) -> None:
    if runs_code:
        raise TaskError(
            f"Task '{name}' runs code that the model writes; that is not done here. Run it with lm-eval in a sandbox "
            "and bring its log with `harness import lm-eval`."
        )
    if is_multimodal:
        raise TaskError(f"Task '{name}' shows images or sound; only text can be asked here.")


@contextmanager
def own_random_state() -> Iterator[None]:
    """Lends the process's generators, seeded as lm-eval seeds them, and puts their states back.

    Some tasks shuffle options with the global generator while their documents are read. Each name is loaded from
    the same state, so that a task does not depend on those loaded before it. Nothing of this is left behind.
    """
    import numpy as np

    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(PYTHON_SEED)
    np.random.seed(NUMPY_SEED)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Silences the notices about defaults that lm-eval gives for every metric of every task, and data set bars.

    The few-shot examples and metrics that result are in the run's record. A local data set is also not reported to
    the hub, which would wait for the network.
    """
    import datasets

    logger = logging.getLogger("lm_eval")
    level, counted = logger.level, datasets.config.HF_UPDATE_DOWNLOAD_COUNTS
    had_bars = datasets.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = counted
        if had_bars:
            datasets.enable_progress_bars()


@contextmanager
def clear_failure(what: str) -> Iterator[None]:
    """Turns what loading data and running a task's own functions may raise into one TaskError."""
    import jinja2
    import yaml
    from datasets.exceptions import DatasetsError

    faults = (
        ArithmeticError, AssertionError, AttributeError, DatasetsError, ImportError, LookupError, NameError,
        OSError, RuntimeError, SyntaxError, TypeError, ValueError, jinja2.TemplateError, yaml.YAMLError,
        *_network_errors(),
    )  # fmt: skip
    try:
        yield
    except HarnessError:
        raise
    except faults as error:
        raise TaskError(f"{what}: {_explained(error)}") from error


def _network_errors() -> tuple[type[Exception], ...]:
    """The hub's client changed from requests to httpx, whose errors are no OSErrors."""
    try:
        import httpx
    except ImportError:
        return ()
    return (httpx.HTTPError,)


def is_offline() -> bool:
    """Whether the environment forbids the network to the hub's client."""
    return any(
        os.environ.get(name, "").upper() in ("1", "TRUE", "YES", "ON")
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
    )


def _explained(error: BaseException) -> str:
    """The error in one line, with the remedy where it is the data that is missing."""
    text = " ".join(str(error).split()) or type(error).__name__
    if len(text) > 600:
        text = f"{text[:600]} ..."
    if isinstance(error, ModuleNotFoundError):
        return (
            f"its functions need the Python module '{error.name}', which is not installed or not in the installed "
            f"version of its package; install it, e.g. `pip install {str(error.name).split('.')[0]}`."
        )
    if _is_about_data(error, text):
        where = "offline (HF_HUB_OFFLINE or HF_DATASETS_OFFLINE is set)" if is_offline() else "from here"
        return (
            f"its data cannot be had {where}: {text.rstrip('.')}. Load the data set once where there is a network, so "
            "that it lies in the cache, or point the task's dataset_path and data_files at local files."
        )
    return (
        text if isinstance(error, (OSError, ValueError, RuntimeError)) else f"{type(error).__name__}: {text}"
    )


def _is_about_data(error: BaseException, text: str) -> bool:
    from datasets.exceptions import DatasetsError

    told = (
        "Couldn't find",
        "Couldn't reach",
        "Dataset scripts are no longer",
        "data files",
        "data_files",
        "the Hub",
        "Unable to find",
    )
    network = (ConnectionError, TimeoutError, DatasetsError, *_network_errors())
    return isinstance(error, network) or any(sign in text for sign in told)
