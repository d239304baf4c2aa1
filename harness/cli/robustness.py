"""harness robustness: what a run's answers owe to noise, order, position and form."""

from __future__ import annotations

import click

from harness.cli.options import json_option, print_json, store_option


@click.command()
@click.argument("run")
@store_option
@click.option("--suite", "suites", multiple=True, help="Only this suite; repeatable [default: all].")
@click.option("--language", help="Only variants in this language, e.g. en or zh.")
@click.option(
    "--repeat",
    "repeats",
    multiple=True,
    metavar="RUN",
    help="A further run of the same checkpoint, for the noise floor of flips; repeatable.",
)
@json_option
def robustness(
    run: str,
    store: str,
    suites: tuple[str, ...],
    language: str | None,
    repeats: tuple[str, ...],
    as_json: bool,
) -> None:
    """Measure RUN against changed prompts: drops, flips, consistency, spread, order, position, format, labels."""
    from harness.report.robustness import robustness_json, show_robustness
    from harness.robustness.suite_robustness import run_robustness
    from harness.store import open_store

    kept = open_store(store)
    found = run_robustness(
        kept.run(run),
        repeats=[kept.run(repeat) for repeat in repeats],
        suites=suites,
        language=language,
    )
    if as_json:
        print_json(robustness_json(found))
    else:
        show_robustness(found)
