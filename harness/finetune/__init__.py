"""Fine-tuning by recipe: data in three shapes, transforms as treatments, stages of full or LoRA training."""

from __future__ import annotations

from harness.finetune.preview import Preview, preview
from harness.finetune.progress import StepDone
from harness.finetune.recipe import Recipe, load_recipe, recipe_from_json
from harness.finetune.run import Trained, finetune

__all__ = [
    "Preview",
    "Recipe",
    "StepDone",
    "Trained",
    "finetune",
    "load_recipe",
    "preview",
    "recipe_from_json",
]
