"""The candidate of a gate: a stored run, or a checkpoint that is run as the baseline was."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import RunNotFound, UsageError
from harness.core.naming import unknown_name
from harness.evaluation import EvaluationSettings, evaluate
from harness.store import Store, StoredRun
from harness.suites import load_suite


def resolved(store: Store, candidate: str, *, baseline: str | None, suite: str | None = None) -> StoredRun:
    """The stored run of an id or name; for a checkpoint's folder the run that is made of it, or was.

    Raises:
        RunNotFound: If it is neither.
        UsageError: If a checkpoint has no baseline to be run like.
    """
    try:
        return store.run(candidate)
    except RunNotFound as error:
        if not Path(candidate).is_dir():
            raise RunNotFound(f"{error} Nor is it a checkpoint's folder.") from error
    if baseline is None:
        raise UsageError(
            f"'{candidate}' is a checkpoint: name the baseline whose suites it shall be asked (--harness-baseline=RUN)."
        )
    return run_like(store.run(baseline), candidate, store=store, suite=suite)


def suite_name(suite: str) -> str:
    """A suite's name, of a name or of the folder of one that is not shipped."""
    return load_suite(suite).name if Path(suite).is_dir() else suite


def run_like(model: StoredRun, checkpoint: str, *, store: Store, suite: str | None = None) -> StoredRun:
    """A checkpoint's run on the suites and with the settings of another run; an equal run is found, not made.

    Args:
        model: The run to be like.
        checkpoint: A folder with weights.
        store: Where the new run is kept.
        suite: Only this suite of the run: a name, or the folder of one that is not shipped.

    Raises:
        UnknownName: If the run did not ask `suite`, or a suite is neither shipped nor a folder.
    """
    from harness.engine import open_checkpoint
    from harness.lmeval import prepare_tasks

    wanted = model.manifest.settings
    settings = EvaluationSettings(
        limit=wanted.get("limit"),
        smoke=bool(wanted.get("smoke")),
        seed=int(wanted.get("seed") or 0),
        too_long=wanted.get("too_long") or "fail",
        num_fewshot=wanted.get("num_fewshot"),
    )
    known = [record.name for record in model.manifest.suites]
    wanted_suite = None if suite is None else suite_name(suite)
    if wanted_suite is not None and wanted_suite not in known:
        raise unknown_name(f"suite in run '{model.run_id}'", wanted_suite, known)
    records = [record for record in model.manifest.suites if wanted_suite in (None, record.name)]
    suites: list[str] = [record.name for record in records if record.source == "suite"]
    tasks = [record.name for record in records if record.source == "lm_eval"]
    if suite is not None and Path(suite).is_dir():
        suites, tasks = [suite], []
    prepared = None
    if tasks:
        prepared = prepare_tasks(
            tasks, limit=settings.limit, num_fewshot=settings.num_fewshot, seed=settings.seed
        )
    # Without a template on the baseline's side one must not be applied here; with one, the checkpoint's own is.
    template = None if wanted.get("template") else False
    with open_checkpoint(
        checkpoint, dtype=str(wanted.get("dtype") or "auto"), chat_template=template
    ) as opened:
        return evaluate(opened, suites, store=store, tasks=prepared, settings=settings)
