"""harness demo: the main job on an embedded model, in minutes."""

from __future__ import annotations

import time
from pathlib import Path

import click

from harness.cli.options import json_option, print_json, progress_bar


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-runs"),
    show_default=True,
    help="Where data, recipes, checkpoints and runs are kept.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the data and the training.")
@json_option
def demo(folder: Path, seed: int, as_json: bool) -> None:
    """Fine-tune a small model twice, evaluate all three, and let the gate find the real regression."""
    from harness.demo.story import tell
    from harness.report.story import show_story, story_json

    started = time.monotonic()

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    chapters = tell(folder, seed=seed, say=say, progress=progress_bar)
    seconds = time.monotonic() - started
    verdicts = {chapter.name: chapter.verdict for chapter in chapters}
    if as_json:
        print_json(story_json(verdicts, seconds=seconds))
    else:
        show_story(verdicts, store=str(folder / "runs"), seconds=seconds)
