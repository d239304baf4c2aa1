"""harness demo: the main job on an embedded model, in minutes."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-runs"),
    show_default=True,
    help="Where checkpoints and runs are kept.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the data and the training.")
@json_option
def demo(folder: Path, seed: int, as_json: bool) -> int:
    """Fine-tune a small model twice, evaluate all three, and let the gate find the real regression."""
    from harness.demo import run_demo

    return run_demo(folder, seed=seed, as_json=as_json)
