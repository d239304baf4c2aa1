"""harness compare: two runs, paired by what was asked."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option, print_json, store_option


@click.command()
@click.argument("baseline_run")
@click.argument("candidate_run")
@store_option
@click.option("--suite", "suites", multiple=True, help="Only these suites.")
@click.option(
    "--ignore",
    multiple=True,
    type=click.Choice(["template", "generation", "reading"]),
    help="Compare although this differs; it is still said.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Every metric and slice, not only each suite's primary metric."
)
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write a self-contained report."
)
@json_option
def compare(
    baseline_run: str,
    candidate_run: str,
    store: str,
    suites: tuple[str, ...],
    ignore: tuple[str, ...],
    everything: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Compare CANDIDATE_RUN with BASELINE_RUN (run ids, their beginnings, or names)."""
    from harness.comparison import compare as compare_runs
    from harness.report.comparison import comparison_json, show_comparison
    from harness.store import open_store

    kept = open_store(store)
    found = compare_runs(
        kept.run(baseline_run), kept.run(candidate_run), suites=suites or None, ignore=ignore
    )
    if html is not None:
        from harness.report.html import comparison_html

        html.write_text(comparison_html(found), encoding="utf-8")
    if as_json:
        print_json(comparison_json(found))
    else:
        show_comparison(found, everything=everything)
        if html is not None:
            click.echo(f"Report: {html}")
