"""harness run: a checkpoint on suites and lm-eval tasks."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from harness.cli.backend_options import LOCAL, backend_options, refuse_engine_options
from harness.cli.cache import cache_option, opened_cache
from harness.cli.options import (
    author,
    checkpoint_options,
    json_option,
    print_json,
    progress_bar,
    store_option,
)

_LOCAL = frozenset(
    {
        "store",
        "name",
        "as_json",
        "device",
        "batch_tokens",
        "rehash",
        "policy",
        "dry_run",
        "cache_place",
        "verify",
    }  # fmt: skip
)
# How a checkpoint is opened here.
_OPENING = ("dtype", "device", "allow_pickle", "trust_remote_code", "rehash")


@click.command()
@click.argument("checkpoint")
@click.option(
    "--suite", "suites", multiple=True, metavar="NAME_OR_PATH", help="A shipped suite, or a suite's folder."
)
@click.option(
    "--task", "tasks", multiple=True, metavar="LM_EVAL_TASK", help="A task or group that lm-eval knows."
)
@click.option(
    "--include-path",
    "include_paths",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with lm-eval YAML tasks of your own.",
)
@click.option(
    "--num-fewshot", type=click.IntRange(min=0), help="Shots for lm-eval tasks [default: the task's own]."
)
@store_option
@click.option("--name", metavar="NAME", help="Give the finished run a name, e.g. production.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="At most so many source items a suite, chosen by id."
)
@click.option("--smoke", is_flag=True, help="Only each suite's quick subset.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the variants and of sampling.")
@click.option(
    "--replicate", type=click.IntRange(min=0), default=0, show_default=True, help="Number of a repeat."
)
@click.option(
    "--replicates",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Runs in all, the others in other batch shapes: the floor of numerical noise.",
)
@backend_options
@checkpoint_options
@cache_option
@click.option(
    "--batch-tokens", type=click.IntRange(min=16), help="Tokens per batch [default: chosen on the device]."
)
@click.option(
    "--scoring",
    type=click.Choice(["auto", "plain"]),
    default="auto",
    show_default=True,
    help="auto: share what prompts have in common, as proved on the model; plain: read each whole.",
)
@click.option(
    "--verify",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Score N random requests again the plain way; fail where they differ beyond rounding.",
)
@click.option(
    "--too-long",
    type=click.Choice(["fail", "skip", "truncate-left"]),
    default="fail",
    show_default=True,
    help="What becomes of prompts longer than the context; never silent.",
)
@click.option(
    "--dry-run", is_flag=True, help="Tell items, tokens, time and what the suites can decide; ask nothing."
)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --dry-run: margins to decide at.",
)
@json_option
def run(
    checkpoint: str,
    suites: tuple[str, ...],
    tasks: tuple[str, ...],
    include_paths: tuple[Path, ...],
    num_fewshot: int | None,
    store: str,
    name: str | None,
    backend: str,
    backend_args: tuple[str, ...],
    chat_template: bool | None,
    cache_place: str | None,
    dry_run: bool,
    policy: Path | None,
    replicates: int,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Run CHECKPOINT (a folder, a hub id, a PEFT adapter, or a server's model) on suites and tasks; store the run.

    The same command again resumes a run that was cut off, and asks nothing if it is finished. Answers are
    cached by everything they depend on, so another run asks the model only what was never asked of it.
    """
    from harness.evaluation import EvaluationSettings
    from harness.evaluation.evaluate import build
    from harness.evaluation.replicates import replicate_settings
    from harness.report.runs import run_summary
    from harness.store import open_store

    if not suites and not tasks:
        raise click.UsageError("Nothing to run: name a suite (--suite) or an lm-eval task (--task).")
    ctx = click.get_current_context()
    if backend != LOCAL:
        refuse_engine_options(ctx, backend)
    elif backend_args:
        raise click.UsageError("--backend-args needs --backend openai or --backend lm-eval:NAME.")
    # The store first: an address that cannot be written should not cost the loading of a model.
    kept = None if dry_run else open_store(store, create=True)
    if kept is not None and name:
        kept.check_name(name)
        if wanted["limit"] or wanted["smoke"]:
            raise click.UsageError("A name stands for a whole run: leave out --name, or --limit and --smoke.")
    opening = {option: wanted.pop(option) for option in _OPENING}
    settings = EvaluationSettings(num_fewshot=num_fewshot, command=ctx.obj, **wanted)
    built = build(suites, settings)
    prepared = None
    if tasks:
        from harness.lmeval import prepare_tasks

        prepared = prepare_tasks(
            tasks,
            include_paths=include_paths,
            limit=settings.limit,
            num_fewshot=num_fewshot,
            seed=settings.seed,
        )
    lineage = {"command": _command(ctx, checkpoint)}
    if backend != LOCAL:
        from harness.backends.opening import open_backend

        assert kept is not None  # a dry run was refused
        elsewhere = open_backend(backend, checkpoint, backend_args, chat_template=chat_template)
        stored, *repeats = [
            _run_elsewhere(elsewhere, built, prepared, each, store=kept, lineage=lineage)
            for each in replicate_settings(settings, replicates)
        ]
    else:
        from harness.engine import open_checkpoint

        with open_checkpoint(checkpoint, chat_template=chat_template, **opening) as model:
            if kept is None:
                _dry_run(model, built, prepared, settings, policy=policy, as_json=as_json)
                return
            stored, *repeats = [
                _run_here(model, built, prepared, each, store=kept, cache_place=cache_place, lineage=lineage)
                for each in replicate_settings(settings, replicates)
            ]
    assert kept is not None
    if name:
        kept.set_name(name, stored.run_id, reason="named when it was run", author=author())
    if as_json:
        print_json(run_summary(stored).to_json())
    else:
        run_summary(stored).show(store=store)
        if repeats:
            from harness.report.noise import show_noise

            show_noise(stored, repeats)


def _run_here(
    model: Any, built: Any, prepared: Any, settings: Any, *, store: Any, cache_place: str | None, lineage: Any
) -> Any:
    from harness.evaluation import evaluate

    with (
        opened_cache(cache_place) or nullcontext() as cache,
        progress_bar(f"run {model.identity.name}") as progress,
    ):
        return evaluate(
            model, built, store=store, tasks=prepared, settings=settings, progress=progress, lineage=lineage,
            cache=cache,
        )  # fmt: skip


def _run_elsewhere(opened: Any, built: Any, prepared: Any, settings: Any, *, store: Any, lineage: Any) -> Any:
    from harness.evaluation.evaluate import evaluate_with

    with progress_bar(f"run {opened.record.name}") as progress:
        return evaluate_with(
            opened.backend, opened.record, built, store=store, tasks=prepared, settings=settings,
            progress=progress, lineage=lineage,
        )  # fmt: skip


def _command(ctx: click.Context, checkpoint: str) -> list[str]:
    """The command as it can be repeated elsewhere: what was typed, without the machine's folders and the store."""
    words = ["harness", "run", Path(checkpoint).name]
    for option in ctx.command.params:
        name = str(option.name)
        value: Any = ctx.params.get(name)
        is_typed = ctx.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
        if not isinstance(option, click.Option) or not is_typed or name in _LOCAL:
            continue
        if option.is_flag:
            words.append(option.opts[0] if value else (option.secondary_opts or option.opts)[0])
            continue
        for each in value if option.multiple else (value,):
            words += [option.opts[0], Path(each).name if name in ("suites", "include_paths") else str(each)]
    return words


def _dry_run(
    model: Any, built: Any, prepared: Any, settings: Any, *, policy: Path | None, as_json: bool
) -> None:
    from harness.evaluation.dry_run import foresee
    from harness.policy import default_policy, load_policy
    from harness.report.dry_run import show_forecast

    rules = load_policy(policy) if policy else default_policy()
    forecast = foresee(
        model, built, prepared, settings=settings, margin_of=rules.smallest_margin, alpha=rules.alpha
    )
    if as_json:
        print_json(forecast.to_json())
    else:
        show_forecast(forecast)
