"""harness cache: the answers of earlier runs, which are not asked again."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option, print_json
from harness.core.visible import visible

if TYPE_CHECKING:
    from harness.store import ResponseCache

_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_DAYS = {"d": 1.0, "w": 7.0}
_ENVIRONMENT = "HARNESS_RESPONSE_CACHE"

cache_option = click.option(
    "--cache",
    "cache_place",
    envvar=_ENVIRONMENT,
    metavar="PATH|off",
    help=(
        "File of answers of earlier runs, which are not asked again; also HARNESS_RESPONSE_CACHE [default: "
        "responses.sqlite in $HARNESS_CACHE, $XDG_CACHE_HOME/sft-harness or ~/.cache/sft-harness]."
    ),
)


def opened_cache(place: str | None) -> ResponseCache | None:
    """The cache at a place, by default the user's own; None for `off`. Its faults go to standard error."""
    from harness.store import ResponseCache, default_cache_file

    if place is not None and place.strip().lower() == "off":
        return None
    return ResponseCache(
        place or default_cache_file(), tell=lambda note: click.echo(f"note: {visible(note)}", err=True)
    )


@click.group()
def cache() -> None:
    """See and shrink the cache of answers; deleting it costs time only."""


@cache.command()
@cache_option
@json_option
def info(cache_place: str | None, as_json: bool) -> None:
    """Where the cache lies, how many answers it holds, how large it is."""
    with _there(cache_place) as found:
        facts = found.facts()
    if as_json:
        print_json(asdict(facts))
        return
    days = f", last used {facts.least_recently_used} to {facts.most_recently_used}" if facts.responses else ""
    click.echo(
        f"{visible(facts.path)}\n{facts.responses:,} answers, {facts.bytes / (1 << 20):,.1f} MiB{days}"
    )


@cache.command()
@cache_option
@click.option("--older-than", metavar="DAYS", help="Remove what was not used for so long: 30, 30d or 4w.")
@click.option("--larger-than", metavar="SIZE", help="Then remove the least recently used beyond: 500M, 2G.")
def prune(cache_place: str | None, older_than: str | None, larger_than: str | None) -> None:
    """Remove answers that are not used any more."""
    if older_than is None and larger_than is None:
        raise click.UsageError("Nothing to remove: give --older-than DAYS or --larger-than SIZE.")
    days = None if older_than is None else _amount("--older-than", older_than, {"": 1.0, **_DAYS})
    size = None if larger_than is None else int(_amount("--larger-than", larger_than, _BYTES))
    with _there(cache_place) as found:
        n_removed = found.prune(older_than_days=days, larger_than_bytes=size)
        facts = found.facts()
    click.echo(
        f"{n_removed:,} answers removed, {facts.responses:,} left, {facts.bytes / (1 << 20):,.1f} MiB."
    )


@cache.command()
@cache_option
def clear(cache_place: str | None) -> None:
    """Remove every answer."""
    with _there(cache_place) as found:
        click.echo(f"{found.clear():,} answers removed from {visible(str(found.path))}.")


def _there(place: str | None) -> ResponseCache:
    opened = opened_cache(place)
    if opened is None:
        raise click.UsageError(
            f"The cache is switched off; name its file with --cache, or unset {_ENVIRONMENT}."
        )
    if not opened.path.exists():
        raise click.UsageError(f"There is no response cache at {opened.path}; `harness run` makes one.")
    return opened


def _amount(option: str, text: str, units: dict[str, float] | dict[str, int]) -> float:
    """A number with one of the units behind it, in the unit "".

    Example:
        >>> _amount("--larger-than", "1.5K", _BYTES)
        1536.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]?)(?:i?b)?", text.strip().lower())
    if found is None or found[2] not in units:
        raise click.UsageError(
            f"{option}: expected a number and one of {', '.join(name for name in units if name)}, got '{text}'."
        )
    return float(found[1]) * units[found[2]]
