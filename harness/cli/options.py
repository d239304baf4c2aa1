"""Options that several commands share, and how results and progress are printed."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from harness.evaluation import ProgressReport

F = TypeVar("F", bound=Callable[..., Any])

store_option = click.option(
    "--store",
    default="runs",
    show_default=True,
    envvar="HARNESS_STORE",
    metavar="DIR",
    help="Folder (or s3:// address) where runs are kept; also HARNESS_STORE.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def checkpoint_options(function: F) -> F:
    """--dtype, --device, chat template, trust: how a checkpoint is opened."""
    options = (
        click.option(
            "--dtype",
            default="auto",
            show_default=True,
            metavar="auto|float32|bfloat16|float16",
            help="Number format.",
        ),
        click.option(
            "--device",
            default="auto",
            show_default=True,
            metavar="auto|cpu|cuda|mps",
            help="Where the model runs.",
        ),
        click.option(
            "--chat-template/--no-chat-template",
            "chat_template",
            default=None,
            help="Apply the tokenizer's chat template [default: where it has one].",
        ),
        click.option("--allow-pickle", is_flag=True, help="Load pickled weights, which can run any code."),
        click.option("--trust-remote-code", is_flag=True, help="Run code that the checkpoint brings along."),
        click.option("--rehash", is_flag=True, help="Hash the weight files anew, whatever is remembered."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def author() -> str:
    """Who names a run: HARNESS_AUTHOR, or the account's name."""
    found = (os.environ.get(name) for name in ("HARNESS_AUTHOR", "USER", "USERNAME"))
    return next((name for name in found if name), "unknown")


def print_json(value: Any) -> None:
    """Sorted, indented JSON on standard output."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str))


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[ProgressReport], None]]:
    """A bar with ETA and items/s on a terminal's standard error; elsewhere a line every ten seconds."""
    if sys.stderr.isatty():
        with _bar(title) as show:
            yield show
        return
    started = last = time.monotonic()

    def line(report: ProgressReport) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < 10 and report.done < report.total:
            return
        last = now
        rate = report.done / max(now - started, 1e-9)
        left = (report.total - report.done) / rate if rate else 0.0
        click.echo(f"{title}: {report.done}/{report.total}, {rate:.1f} items/s, {left:.0f} s left", err=True)

    yield line


@contextmanager
def _bar(title: str) -> Iterator[Callable[[ProgressReport], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Finished items per second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f} items/s" if task.speed else "")

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeElapsedColumn(),
        TextColumn("ETA"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        task = progress.add_task(title, total=None)

        def show(report: ProgressReport) -> None:
            progress.update(task, completed=report.done, total=report.total)

        yield show
