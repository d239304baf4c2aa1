"""harness import: runs from the logs of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import author, json_option, print_json, store_option


@click.group("import")
def import_logs() -> None:
    """Turn logs that you already have into runs."""


@import_logs.command("lm-eval")
@click.argument("results_dir", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Give the run a name.")
@store_option
@json_option
def lm_eval(results_dir: Path, name: str | None, store: str, as_json: bool) -> None:
    """Import lm-eval's output folder (written with --log_samples) as a run."""
    from harness.lmeval import import_logs as read_logs
    from harness.lmeval import store_import
    from harness.report.runs import run_summary
    from harness.store import open_store

    kept = open_store(store, create=True)
    stored = store_import(kept, read_logs(results_dir))
    if name:
        kept.set_name(name, stored.run_id, reason="named when it was imported", author=author())
    if as_json:
        print_json(run_summary(stored).to_json())
    else:
        run_summary(stored).show(store=store)
