"""Trains the demo's base model from the world's text: `python -m harness.demo.train_base --out DIR`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.demo.base_recipe import BaseRecipe
from harness.demo.card import base_card
from harness.demo.pauses import Progress, save_pause

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def _report(
    progress: Progress, recipe: BaseRecipe, *, loss: float, pace: float, found: dict[str, float]
) -> None:
    left = (recipe.steps - progress.step) * pace / 60
    shown = "  ".join(f"{name}={value:.2f}" for name, value in found.items() if not name[-1].isdigit())
    print(
        f"step {progress.step}/{recipe.steps}  loss {loss:.3f}  {pace:.2f} s/step  {left:.0f} min left  "
        f"{shown}",
        file=sys.stderr,
        flush=True,
    )


def train(
    recipe: BaseRecipe,
    tokenizer: PreTrainedTokenizerFast,
    *,
    pause_in: Path,
    every: int = 200,
    probe: int = 10,
    workers: int = 1,
) -> tuple[Any, Progress]:
    """Trains to the recipe's last step, pausing to disk on the way.

    Returns:
        The model in evaluation mode, and the progress with the digest of all text it was trained on.
    """
    from harness.demo.base_workers import training_with
    from harness.demo.probe import figures

    started, losses = time.perf_counter(), []
    with training_with(workers, recipe, tokenizer, pause_in) as training:
        model, progress = training.model, training.progress
        while progress.step < recipe.steps:
            losses.append(training.step(0))
            if progress.step % every and progress.step < recipe.steps:
                continue
            seconds = time.perf_counter() - started
            progress.seconds = round(progress.seconds + seconds, 1)
            model.eval()
            found = figures(model, tokenizer, n=probe, seed=recipe.seed)
            model.train()
            mean_loss = sum(losses) / len(losses)
            _report(progress, recipe, loss=mean_loss, pace=seconds / len(losses), found=found)
            save_pause(pause_in, model, training.optimizer, progress, recipe)
            started, losses = time.perf_counter(), []
    return model.eval(), progress


def ship(model: Any, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Writes the checkpoint folder: bf16 safetensors, tokenizer, configuration."""
    import torch

    model.config._attn_implementation = "sdpa"
    model.generation_config.max_new_tokens = 64
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _manifest(recipe: BaseRecipe, progress: Progress, found: dict[str, Any]) -> dict[str, Any]:
    import torch
    import transformers

    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    return {"recipe": asdict(recipe), "progress": asdict(progress), "versions": versions, "figures": found}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    usual = BaseRecipe()
    parser = argparse.ArgumentParser(prog="python -m harness.demo.train_base", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write the checkpoint to")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--precision", choices=("bf16", "fp32"), default=usual.precision)
    parser.add_argument(
        "--workers", type=int, default=2, help="processes to use; the weights do not depend on it"
    )
    parser.add_argument("--probe", type=int, default=200, help="test items per family at the end")
    parser.add_argument("--json", action="store_true", help="print the training manifest")
    asked_for = parser.parse_args(arguments)

    import torch
    from transformers import AutoModelForCausalLM

    from harness.demo.probe import figures
    from harness.demo.tokenizer import train_tokenizer

    torch.set_num_threads(1)  # each process is one thread
    recipe = BaseRecipe(seed=asked_for.seed, steps=asked_for.steps, precision=asked_for.precision)
    tokenizer = train_tokenizer(seed=recipe.seed)
    pause_in = asked_for.out.with_name(asked_for.out.name + ".pause")
    model, progress = train(recipe, tokenizer, pause_in=pause_in, workers=asked_for.workers)
    ship(model, tokenizer, asked_for.out)
    shipped = AutoModelForCausalLM.from_pretrained(asked_for.out, dtype=torch.float32).eval()
    found = figures(shipped, tokenizer, n=asked_for.probe, seed=recipe.seed + 1)
    manifest = _manifest(recipe, progress, found)
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (asked_for.out / "training.json").write_text(text, encoding="utf-8")
    card = base_card(manifest, n_parameters=shipped.num_parameters())
    (asked_for.out / "CARD.md").write_text(card, encoding="utf-8")
    print(text if asked_for.json else json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
