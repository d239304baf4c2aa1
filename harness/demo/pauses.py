"""A training paused on disk, and taken up again."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.demo.base_recipe import BaseRecipe


@dataclass
class Progress:
    """How far the training is, as written beside the weights when it pauses."""

    step: int = 0
    data_digest: str = ""
    seconds: float = 0.0


def save_pause(folder: Path, model: Any, optimizer: Any, progress: Progress, recipe: BaseRecipe) -> None:
    """Writes the state whole or not at all."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "pause.pt.partial"
    record = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "progress": asdict(progress),
        "recipe": asdict(recipe),
    }
    torch.save(record, partial)
    partial.replace(folder / "pause.pt")


def _continues(before: dict[str, Any], step: int, recipe: BaseRecipe) -> bool:
    """Whether a training paused at a step is this recipe's: all alike, or but for the cool-down still ahead."""
    if before == asdict(recipe):
        return True
    first_lower = min(int(before["steps"]), recipe.steps) - recipe.cooldown_steps + 1
    return step <= first_lower and {**before, "steps": recipe.steps} == asdict(recipe)


def load_pause(folder: Path, model: Any, optimizer: Any, recipe: BaseRecipe) -> Progress:
    """Takes up a paused training of the same recipe; a fresh start otherwise."""
    import torch

    path = folder / "pause.pt"
    if not path.is_file():
        return Progress()
    record = torch.load(path, weights_only=True)
    if not _continues(record["recipe"], record["progress"]["step"], recipe):
        print(f"{path} was written under another recipe: starting afresh", file=sys.stderr)
        return Progress()
    model.load_state_dict(record["model"])
    optimizer.load_state_dict(record["optimizer"])
    return Progress(**record["progress"])
