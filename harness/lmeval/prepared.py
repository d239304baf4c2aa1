"""lm-eval tasks run on a backend: prompts, filters and scores are lm-eval's, the answers are ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import TaskError
from harness.core.exchange import Backend
from harness.core.naming import unknown_name
from harness.core.rows import SuiteRecord, SuiteResult
from harness.lmeval.answered import suite_record
from harness.lmeval.prompted import Duplicate, PreparedTask, prepared_task
from harness.lmeval.task_loading import load_tasks, own_random_state
from harness.lmeval.task_scores import task_result


class PreparedTasks:
    """Tasks whose prompts are built. Make it with `prepare_tasks`; it may be run on any number of backends.

    Args:
        tasks: The tasks.
    """

    def __init__(self, tasks: Sequence[PreparedTask]) -> None:
        self.tasks = tuple(tasks)

    def __repr__(self) -> str:
        return f"PreparedTasks({', '.join(self.names)}: {self.n_requests} requests)"

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks' names."""
        return tuple(task.name for task in self.tasks)

    @property
    def digests(self) -> tuple[str, ...]:
        """Per task the digest of its items, targets, prompts and settings, in the order of `names`."""
        return tuple(task.digest for task in self.tasks)

    @property
    def records(self) -> tuple[SuiteRecord, ...]:
        """Every task as a run's manifest will name it, as far as that is known before the run.

        The metrics are those the task declares; a run's own record has those that were measured, and lm-eval's
        aggregates under `asking["reported"]`.
        """
        return tuple(
            suite_record(
                task.facts, [each.document for each in task.prompted], n_rejected=len(task.duplicates)
            )
            for task in self.tasks
        )

    @property
    def n_requests(self) -> int:
        """Requests of one run."""
        return sum(self.requests_of(name) for name in self.names)

    def requests_of(self, name: str) -> int:
        """Requests of one task in one run.

        Raises:
            UnknownName: If no task here has that name.
        """
        task = next((task for task in self.tasks if task.name == name), None)
        if task is None:
            raise unknown_name("prepared task", name, self.names)
        return sum(len(prompted.asked) for prompted in task.prompted)

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        """Documents left out because an earlier one is equal."""
        return tuple(duplicate for task in self.tasks for duplicate in task.duplicates)

    def run(self, backend: Backend, *, replicate: int = 0) -> list[SuiteResult]:
        """The rows of every task.

        All requests go to the backend at once. A document that it could not answer is missing: outcome `failed`
        and no value, in no aggregate.

        Args:
            backend: What answers.
            replicate: Number of the repeat of an otherwise equal run.
        """
        requests = [
            asked.request for task in self.tasks for prompted in task.prompted for asked in prompted.asked
        ]
        answers = dict(backend.answer(requests))
        return [task_result(task, answers, replicate=replicate) for task in self.tasks]


def prepare_tasks(
    names: Sequence[str],
    *,
    include_paths: Sequence[Path] = (),
    limit: int | None = None,
    num_fewshot: int | None = None,
    seed: int = 0,
) -> PreparedTasks:
    """Loads tasks and builds their prompts, without a model.

    Prompts, few-shot draws included, are those of a plain `lm_eval` run in one process. With a limit they are those
    of the full run's first documents.

    Args:
        names: lm-eval's tasks, groups and tags, patterns such as `mmlu_*`, or paths of YAML files.
        include_paths: Folders with YAML tasks of one's own. Relative `data_files` are looked for beside the YAML
            file first, then, as in lm-eval, from the working directory.
        limit: First documents of each task, or None for all.
        num_fewshot: Few-shot examples; None keeps each task's own, and a task that says 0 keeps 0.
        seed: Of sampled generation.

    Raises:
        TaskError: If a name is unknown, a YAML file cannot be read, or a task or its data cannot be loaded.
    """
    if isinstance(names, str):
        names = [names]
    if limit is not None and limit < 1:
        raise TaskError(f"limit is {limit}; give a number of documents of at least 1.")
    with own_random_state():  # even asking a task for its name draws from the global generator
        tasks = load_tasks(
            names, include_paths=[Path(path) for path in include_paths], num_fewshot=num_fewshot
        )
        return PreparedTasks([prepared_task(task, limit=limit, seed=seed) for task in tasks])
