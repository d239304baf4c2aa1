"""harness runs: what is in the store."""

from __future__ import annotations

from dataclasses import asdict

import click

from harness.cli.options import author, json_option, print_json, store_option


@click.group()
def runs() -> None:
    """List, show, name and remove stored runs."""


@runs.command("list")
@store_option
@json_option
def list_runs(store: str, as_json: bool) -> None:
    """All finished runs, newest first."""
    from harness.report.runs import runs_json, show_runs
    from harness.store import open_store

    kept = open_store(store)
    if as_json:
        print_json(runs_json(kept))
    else:
        show_runs(kept)


@runs.command()
@click.argument("run")
@store_option
@click.option("--verify", is_flag=True, help="Check every file against the hash in the manifest.")
@json_option
def show(run: str, store: str, verify: bool, as_json: bool) -> None:
    """One run: what was measured, on what, how, and its scores."""
    from harness.report.runs import run_summary
    from harness.store import open_store

    stored = open_store(store).run(run)
    if verify:
        stored.verify()
    if as_json:
        print_json(run_summary(stored).to_json() | {"manifest": asdict(stored.manifest)})
    else:
        run_summary(stored).show(store=store)
        if verify:
            click.echo("Every file has the hash that the manifest states.")


@runs.command()
@click.argument("name")
@click.argument("run")
@click.option("--reason", default="named by hand", show_default=True, help="Why; kept with the name.")
@store_option
def name(name: str, run: str, reason: str, store: str) -> None:
    """Let NAME point at RUN."""
    from harness.store import open_store

    open_store(store).set_name(name, run, reason=reason, author=author())
    click.echo(f"{name} -> {run}")


@runs.command()
@click.argument("run", nargs=-1, required=True)
@store_option
def rm(run: tuple[str, ...], store: str) -> None:
    """Remove runs; a run that a name points at is refused."""
    from harness.store import open_store

    kept = open_store(store)
    for one in run:
        kept.remove(one)
        click.echo(f"removed {one}")
