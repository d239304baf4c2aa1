"""harness finetune: train a checkpoint by a recipe."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option, print_json


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the new checkpoint.",
)
@click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda|mps", help="Where it trains."
)
@click.option("--resume/--no-resume", default=True, show_default=True, help="Go on from the last saved step.")
@click.option("--dry-run", is_flag=True, help="Read recipe and data, show a rendered example, train nothing.")
@json_option
def finetune(recipe: Path, out: Path, device: str, resume: bool, dry_run: bool, as_json: bool) -> None:
    """Fine-tune as RECIPE.yaml says and write the checkpoint with its manifest."""
    from harness.finetune import finetune as train
    from harness.finetune import load_recipe, preview
    from harness.report.training import show_preview, show_step, show_training

    loaded = load_recipe(recipe)
    if dry_run:
        shown = preview(loaded)
        if as_json:
            print_json(shown.to_json())
        else:
            show_preview(shown)
        return
    trained = train(loaded, out=out, device=device, resume=resume, progress=show_step)
    if as_json:
        print_json(trained.to_json())
    else:
        show_training(trained)
