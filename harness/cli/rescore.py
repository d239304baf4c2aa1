"""harness rescore: stored outputs under new gold, metrics or reading."""

from __future__ import annotations

import click

from harness.cli.options import json_option, print_json, store_option


@click.command()
@click.argument("run")
@click.option(
    "--suite", "suites", multiple=True, metavar="NAME_OR_PATH", help="The suite with new gold or reading."
)
@click.option("--metric", "metrics", multiple=True, help="A metric to add.")
@store_option
@json_option
def rescore(run: str, suites: tuple[str, ...], metrics: tuple[str, ...], store: str, as_json: bool) -> None:
    """Score the stored outputs of RUN again, as its suites say now; the model is not asked."""
    from harness.evaluation import rescore as score_again
    from harness.report.runs import run_summary
    from harness.store import open_store

    kept = open_store(store)
    stored = score_again(kept.run(run), store=kept, suites=suites, metrics=metrics)
    if as_json:
        print_json(run_summary(stored).to_json())
    else:
        run_summary(stored).show(store=store)
