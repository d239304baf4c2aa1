"""harness suites: what can be asked, and whether a suite of one's own is right."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option, print_json
from harness.core.items import TASK_SHAPES


@click.group()
def suites() -> None:
    """List, show, check and begin suites."""


@suites.command("list")
@json_option
def list_suites(as_json: bool) -> None:
    """The shipped suites."""
    from harness.report.suites import show_suites, suites_json
    from harness.suites import list_suites as shipped

    found = shipped()
    if as_json:
        print_json(suites_json(found))
    else:
        show_suites(found)


@suites.command()
@click.argument("suite")
@json_option
def show(suite: str, as_json: bool) -> None:
    """One suite: how it is asked, its items and variants, its card."""
    from harness.report.suites import show_suite
    from harness.suites import describe_suite, load_suite

    described = describe_suite(load_suite(suite))
    if as_json:
        print_json(described)
    else:
        show_suite(described)


@suites.command()
@click.argument("suite")
@json_option
def validate(suite: str, as_json: bool) -> int:
    """Check a suite's files; every fault is named with file, line and field."""
    from dataclasses import asdict

    from harness.suites import validate_suite

    findings = validate_suite(suite)
    errors = [finding for finding in findings if finding.severity == "error"]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.severity}: {finding}")
        click.echo(f"{suite}: {len(errors)} errors, {len(findings) - len(errors)} warnings.")
    return 2 if errors else 0


@suites.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--task", type=click.Choice(TASK_SHAPES), default="short_answer", show_default=True, help="Task shape."
)
@click.option(
    "--language", "languages", multiple=True, default=("en", "zh"), show_default=True, help="Languages."
)
def new(path: Path, task: str, languages: tuple[str, ...]) -> None:
    """Begin a suite: a commented starter folder that already validates."""
    from harness.suites import scaffold

    scaffold(path, task=task, languages=languages)  # type: ignore[arg-type]
    click.echo(f"Wrote {path}. Edit items.jsonl, then: harness suites validate {path}")


def _parameters(given: tuple[str, ...]) -> dict[str, object]:
    """`name=value` pairs, the values read as YAML (numbers, lists, words)."""
    import yaml

    from harness.core.errors import UsageError

    found: dict[str, object] = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageError(f"--param is '{pair}'; write name=value, such as severity=0.1.")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--param {name} is '{value}', which is no YAML value.") from error
    return found


@suites.command()
@click.argument("suite")
@click.option("--transform", metavar="NAME", help="The transform to try; the suite's own plan without it.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Of the transform; may be repeated."
)
@click.option("--n", default=5, show_default=True, help="How many variants to show.")
@click.option("--seed", default=0, show_default=True, help="Of the transforms.")
@json_option
def preview(
    suite: str, transform: str | None, params: tuple[str, ...], n: int, seed: int, as_json: bool
) -> None:
    """Show variants beside their sources, with what changed marked."""
    from harness.report.previews import previews_json, show_previews
    from harness.suites import load_suite
    from harness.suites.preview import preview as previewed

    found = previewed(load_suite(suite), transform=transform, params=_parameters(params), n=n, seed=seed)
    if as_json:
        print_json(previews_json(found))
    else:
        show_previews(found)


@suites.command()
@click.argument("suite")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Of the transforms.")
def build(suite: str, folder: Path, seed: int) -> None:
    """Freeze a suite's variants to disk, with hashes; an equal folder is left as it is."""
    from harness.suites import load_suite
    from harness.suites.freeze import freeze

    built = load_suite(suite).build(seed=seed)
    written = freeze(built, folder, seed=seed)
    told = "Wrote" if written else "Unchanged:"
    click.echo(
        f"{told} {folder}: {len(built.variants)} variants of {built.n_items} items, digest {built.digest}"
    )
    if built.rejected:
        click.echo(f"{len(built.rejected)} rejections are counted in {folder / 'manifest.json'}.")
