"""harness dashboard: the store in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import store_option


@click.command()
@store_option
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Port on this machine."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address; anything else than loopback needs --expose.",
)
@click.option("--expose", is_flag=True, help="Allow other machines to connect. There is no login.")
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Policy that the Verdict page judges by [default: as harness gate].",
)
@click.option(
    "--flips",
    nargs=2,
    metavar="BASELINE CANDIDATE",
    help="Begin at the items that the candidate lost against the baseline.",
)
@click.option("--suite", help="With --flips: only this suite.")
@click.option("--open/--no-open", "opens", default=True, show_default=True, help="Open a browser.")
def dashboard(
    store: str,
    port: int,
    host: str,
    expose: bool,
    policy: Path | None,
    flips: tuple[str, str] | None,
    suite: str | None,
    opens: bool,
) -> int:
    """Open the dashboard over the store; it listens on this machine only."""
    from harness.report.serve import lost_items, serve_dashboard

    if suite is not None and not flips:
        raise click.UsageError("--suite says which flips to show: add --flips BASELINE CANDIDATE.")
    page = lost_items(*flips, suite=suite) if flips else ""
    return serve_dashboard(store, port=port, host=host, expose=expose, policy=policy, opens=opens, page=page)
