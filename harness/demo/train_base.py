"""Trains the demo's base model from the world's text: `python -m harness.demo.train_base --out DIR`."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.digest import digest
from harness.demo.rows import Row, training_rows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

NOT_LEARNED = -100


@dataclass(frozen=True, slots=True)
class BaseRecipe:
    """Everything that decides the weights, beside the world itself.

    Args:
        precision: "bf16" multiplies in bfloat16 over fp32 weights (about 1.7 times as fast where the
            processor has the instructions), "fp32" in full.
    """

    seed: int = 1
    steps: int = 4000
    rows_a_step: int = 40
    micro_batches: int = 5
    peak_rate: float = 2.5e-3
    warmup_steps: int = 100
    cooldown_steps: int = 1000
    weight_decay: float = 0.02
    easy_steps: int = 500
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    inner: int = 512
    precision: str = "bf16"


def new_model(recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast) -> Any:
    """A Llama with random weights of the recipe's seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=tokenizer.model_max_length,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        attn_implementation="eager",  # on a processor faster than the fused kernel at these sizes
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return LlamaForCausalLM(config)


def learning_rate(step: int, recipe: BaseRecipe) -> float:
    """Linear warm-up, a level stretch, and a linear cool-down to nothing over the last steps.

    The level stretch lets a training that was paused there go on to more steps than were first asked for, as if
    they had been asked for from the start.

    Example:
        >>> recipe = BaseRecipe(steps=1000, warmup_steps=100, cooldown_steps=200)
        >>> [learning_rate(step, recipe) / recipe.peak_rate for step in (0, 99, 800, 900, 1000)]
        [0.01, 1.0, 1.0, 0.5, 0.0]
    """
    if step < recipe.warmup_steps:
        return recipe.peak_rate * (step + 1) / recipe.warmup_steps
    return recipe.peak_rate * min(1.0, (recipe.steps - step) / recipe.cooldown_steps)


def row_tokens(row: Row, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Token ids of a row and, in step with them, what is learned: answers and the end after each."""
    ids: list[int] = []
    learned: list[int] = []
    for place, shown in enumerate(row):
        prompt = tokenizer(("\n\n" if place else "") + shown.prompt)["input_ids"]
        answer = [*tokenizer(shown.answer)["input_ids"], tokenizer.eos_token_id]
        ids += prompt + answer
        learned += [NOT_LEARNED] * len(prompt) + answer
    return ids, learned


def batches(recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast, step: int) -> list[tuple[Any, Any]]:
    """The step's micro-batches (ids, learned), rows of like length together."""
    import torch

    hardness = min(1.0, step / max(1, recipe.easy_steps))
    rows = [
        row_tokens(row, tokenizer)
        for row in training_rows(recipe.seed, step, n=recipe.rows_a_step, hardness=hardness)
    ]
    rows.sort(key=lambda row: len(row[0]))
    size = math.ceil(len(rows) / recipe.micro_batches)
    made = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        longest = len(part[-1][0])
        ids = torch.full((len(part), longest), tokenizer.pad_token_id)
        learned = torch.full((len(part), longest), NOT_LEARNED)
        for place, (row_ids, row_learned) in enumerate(part):
            ids[place, : len(row_ids)] = torch.tensor(row_ids)
            learned[place, : len(row_learned)] = torch.tensor(row_learned)
        made.append((ids, learned))
    return made


def answer_loss(model: Any, ids: Any, learned: Any, *, precision: str) -> Any:
    """Summed cross-entropy of the learned tokens; only their logits are computed."""
    import torch
    import torch.nn.functional as F

    wanted = learned[:, 1:]
    kept = wanted != NOT_LEARNED
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[kept])
    return F.cross_entropy(logits.float(), wanted[kept], reduction="sum")


def train_step(
    model: Any, optimizer: Any, made: list[tuple[Any, Any]], *, rate: float, precision: str
) -> float:
    """One step over the micro-batches; the mean loss per answer token."""
    import torch

    n_tokens = sum(int((learned[:, 1:] != NOT_LEARNED).sum()) for _, learned in made)
    for group in optimizer.param_groups:
        group["lr"] = rate
    total = 0.0
    for ids, learned in made:
        loss = answer_loss(model, ids, learned, precision=precision) / n_tokens
        loss.backward()
        total += float(loss.detach())
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return total


@dataclass
class Progress:
    """How far the training is, as written beside the weights when it pauses."""

    step: int = 0
    data_digest: str = ""
    seconds: float = 0.0


def _save_pause(folder: Path, model: Any, optimizer: Any, progress: Progress, recipe: BaseRecipe) -> None:
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


def _load_pause(folder: Path, model: Any, optimizer: Any, recipe: BaseRecipe) -> Progress:
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


def _optimizer(model: Any, recipe: BaseRecipe) -> Any:
    import torch

    return torch.optim.AdamW(
        model.parameters(), lr=recipe.peak_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
    )


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
) -> tuple[Any, Progress]:
    """Trains to the recipe's last step, pausing to disk on the way.

    Returns:
        The model in evaluation mode, and the progress with the digest of all text it was trained on.
    """
    from harness.demo.probe import figures

    model = new_model(recipe, tokenizer)
    optimizer = _optimizer(model, recipe)
    progress = _load_pause(pause_in, model, optimizer, recipe)
    model.train()
    started, losses = time.perf_counter(), []
    while progress.step < recipe.steps:
        made = batches(recipe, tokenizer, progress.step)
        text_ids = [ids.tolist() for ids, _ in made]
        progress.data_digest = digest("rows/1", progress.data_digest, text_ids)
        rate = learning_rate(progress.step, recipe)
        losses.append(train_step(model, optimizer, made, rate=rate, precision=recipe.precision))
        progress.step += 1
        if progress.step % every and progress.step < recipe.steps:
            continue
        seconds = time.perf_counter() - started
        progress.seconds = round(progress.seconds + seconds, 1)
        model.eval()
        found = figures(model, tokenizer, n=probe, seed=recipe.seed)
        model.train()
        mean_loss = sum(losses) / len(losses)
        _report(progress, recipe, loss=mean_loss, pace=seconds / len(losses), found=found)
        _save_pause(pause_in, model, optimizer, progress, recipe)
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
    parser.add_argument("--probe", type=int, default=200, help="test items per family at the end")
    parser.add_argument("--json", action="store_true", help="print the training manifest")
    asked_for = parser.parse_args(arguments)

    import torch
    from transformers import AutoModelForCausalLM

    from harness.demo.probe import figures
    from harness.demo.tokenizer import train_tokenizer

    recipe = BaseRecipe(seed=asked_for.seed, steps=asked_for.steps, precision=asked_for.precision)
    tokenizer = train_tokenizer(seed=recipe.seed)
    pause_in = asked_for.out.with_name(asked_for.out.name + ".pause")
    model, progress = train(recipe, tokenizer, pause_in=pause_in)
    ship(model, tokenizer, asked_for.out)
    shipped = AutoModelForCausalLM.from_pretrained(asked_for.out, dtype=torch.float32).eval()
    found = {
        group: figures(shipped, tokenizer, n=asked_for.probe, seed=recipe.seed + 1, group=group)
        for group in ("known", "new")
    }
    manifest = _manifest(recipe, progress, found)
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (asked_for.out / "training.json").write_text(text, encoding="utf-8")
    print(text if asked_for.json else json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
