"""harness baseline: what the gate compares with, and the only way it moves."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from harness.cli.options import json_option, print_json, store_option

name_option = click.option(
    "--name", default="production", show_default=True, metavar="NAME", help="The baseline's name."
)


@click.group()
def baseline() -> None:
    """Promote a run to baseline, show baselines and their history."""


@baseline.command()
@click.argument("run")
@name_option
@click.option("--reason", help="Why; needed unless RUN passes against the baseline. Kept in the history.")
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What RUN is judged by first [default: as harness gate].",
)
@click.option(
    "--allow-ci", is_flag=True, help="Move the baseline even in CI, where that is refused otherwise."
)
@store_option
@json_option
def promote(
    run: str, name: str, reason: str | None, policy: Path | None, allow_ci: bool, store: str, as_json: bool
) -> None:
    """Make RUN the baseline, once it has been judged against the one before.

    A verdict that is no pass needs a reason. Nothing else moves a baseline.
    """
    from harness.gating.promotion import author_of, promote_baseline, refuse_in_ci
    from harness.store import open_store

    refuse_in_ci(os.environ, allowed=allow_ci, flag="--allow-ci")
    change = promote_baseline(
        open_store(store), name, run, policy=policy, reason=reason, author=author_of(os.environ)
    )
    if as_json:
        print_json(asdict(change))
        return
    before = f" (before: {change.previous})" if change.previous else ""
    verdict = f", verdict {change.verdict}" if change.verdict else ""
    click.echo(f"{change.name} -> {change.run_id}{before}{verdict}: {change.reason}")


@baseline.command()
@click.argument("name", required=False)
@store_option
@json_option
def show(name: str | None, store: str, as_json: bool) -> None:
    """Where NAME points, since when, by whom and why (without NAME: every baseline)."""
    from datetime import UTC, datetime

    from harness.report.baselines import baseline_json, baseline_names, show_baseline
    from harness.store import open_store

    kept = open_store(store)
    names = [name] if name else baseline_names(kept)
    if as_json:
        print_json([baseline_json(kept, one, now=datetime.now(UTC)) for one in names])
        return
    for one in names:
        show_baseline(kept, one)
    if not names:
        click.echo("No baseline yet: harness baseline promote RUN")


@baseline.command()
@click.argument("name", required=False)
@store_option
@json_option
def history(name: str | None, store: str, as_json: bool) -> None:
    """Every change of NAME (without it: of every baseline), the newest first."""
    from harness.report.baselines import history_of, show_history
    from harness.store import open_store

    changes = history_of(open_store(store), name)
    if as_json:
        print_json([asdict(change) for change in changes])
    else:
        show_history(changes)
