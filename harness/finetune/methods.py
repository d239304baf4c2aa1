"""The model as a stage trains it: all weights, or LoRA matrices beside them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.naming import suggestion
from harness.core.rng import rng_for
from harness.finetune.recipe import Recipe
from harness.finetune.shape import StageShape

if TYPE_CHECKING:
    import torch

    from harness.engine import Checkpoint


@dataclass(frozen=True, slots=True)
class Trainee:
    """The model between stages.

    Args:
        model: A Transformers or PEFT model.
        lora: The LoRA settings of the adapter it carries, if it does.
        is_base_kept: Whether the weights beneath are still the base's own, so that an adapter suffices.
    """

    model: Any
    lora: tuple[Any, ...] | None = None
    is_base_kept: bool = True


def stage_seed(recipe: Recipe, place: int) -> int:
    """The seed of a stage's dropout and new matrices."""
    return rng_for(recipe.shape.seed, "stage", place).integer(2**31)


def load_trainee(checkpoint: Checkpoint, recipe: Recipe) -> Trainee:
    """The base's weights: fp32 wherever all of them are trained, since small updates are lost in fewer bits."""
    import torch

    from harness.engine.loading import load_model

    trains_all = any(stage.method == "full" for stage in recipe.shape.stages)
    dtype = torch.float32 if trains_all else computing_dtype(recipe, checkpoint.device)
    if checkpoint.device.type == "cpu":
        dtype = torch.float32
    model = load_model(checkpoint.location, checkpoint.config, dtype=dtype, device=checkpoint.device)
    if checkpoint.location.adapter is None:
        return Trainee(model)
    return Trainee(model.merge_and_unload(), is_base_kept=False)


def computing_dtype(recipe: Recipe, device: torch.device) -> torch.dtype:
    """The number format of multiplications."""
    import torch

    if recipe.shape.precision != "auto":
        chosen: torch.dtype = getattr(torch, recipe.shape.precision)
        return chosen
    is_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if is_bf16 else torch.float32


def ready_for(trainee: Trainee, recipe: Recipe, place: int) -> Trainee:
    """The model with what the stage trains set to be trained, and nothing else.

    A LoRA stage goes on with the adapter of the stage before where their settings are equal; otherwise that
    adapter is merged into the weights first.

    Raises:
        RecipeError: If a target names no layer, or one tied to another.
    """
    stage = recipe.shape.stages[place]
    if stage.method == "full":
        kept = _merged(trainee)
        for parameter in kept.model.parameters():
            parameter.requires_grad_(True)
        return Trainee(kept.model, None, is_base_kept=False)
    settings = _lora_settings(stage)
    if trainee.lora == settings:
        return trainee
    merged = _merged(trainee)
    _check_targets(merged.model, stage, recipe, place)
    return Trainee(_with_lora(merged.model, stage, stage_seed(recipe, place)), settings, merged.is_base_kept)


def _merged(trainee: Trainee) -> Trainee:
    if trainee.lora is None:
        return trainee
    return Trainee(trainee.model.merge_and_unload(), None, is_base_kept=False)


def finished(trainee: Trainee) -> Trainee:
    """The model as it is written: an adapter only where the weights beneath are still the base's."""
    return trainee if trainee.is_base_kept else _merged(trainee)


def _lora_settings(stage: StageShape) -> tuple[Any, ...]:
    targets = stage.targets if isinstance(stage.targets, str) else tuple(sorted(stage.targets))
    return (stage.rank, stage.alpha, stage.dropout, targets)


def _with_lora(model: Any, stage: StageShape, seed: int) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=stage.rank,
        lora_alpha=2 * stage.rank if stage.alpha is None else stage.alpha,  # type: ignore[arg-type]
        lora_dropout=stage.dropout,
        target_modules=stage.targets if isinstance(stage.targets, str) else list(stage.targets),
        bias="none",
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # PEFT 0.21 reads an attribute that Transformers 5 renames; goes with the next PEFT.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        torch.manual_seed(seed)
        return get_peft_model(model, config)


def _check_targets(model: Any, stage: StageShape, recipe: Recipe, place: int) -> None:
    """Names must be layers; a head that shares its weights with the embeddings cannot have matrices of its own."""
    if isinstance(stage.targets, str):
        return
    import torch

    where = ("stages", place, "targets")
    kinds = (torch.nn.Linear, torch.nn.Embedding)
    names = {name for name, module in model.named_modules() if isinstance(module, kinds)}
    ends = {name.rsplit(".", 1)[-1] for name in names}
    if not stage.targets:
        raise recipe.fault(where, "is empty; name layers, or write all-linear")
    ties = {
        id(model.get_input_embeddings().weight),
        id(getattr(model.get_output_embeddings(), "weight", None)),
    }
    for target in stage.targets:
        hits = [name for name in names if name == target or name.endswith(f".{target}")]
        if not hits:
            hint = suggestion(target, ends) or f" Its layers: {', '.join(sorted(ends))}."
            raise recipe.fault(where, f"no layer of the base is named '{target}'.{hint}")
        if len(ties) == 1 and any(id(model.get_submodule(name).weight) in ties for name in hits):
            message = f"'{target}' shares its weights between embeddings and head; leave it out"
            raise recipe.fault(where, message)


def trained_tensors(model: Any) -> dict[str, torch.Tensor]:
    """What the stage trains, by name; shared weights once."""
    return {
        name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad
    }


def save_tensors(model: Any, path: Path) -> None:
    """Writes what is trained, whole or not at all."""
    from safetensors.torch import save_file

    partial = path.with_name(path.name + ".partial")
    save_file({name: tensor.contiguous().cpu() for name, tensor in trained_tensors(model).items()}, partial)
    partial.replace(path)


def load_tensors(model: Any, path: Path) -> None:
    """The reverse of `save_tensors`, bit for bit."""
    import torch
    from safetensors.torch import load_file

    tensors = load_file(path)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(tensors[name])


@contextmanager
def kept_generators() -> Iterator[None]:
    """Restores Python's, NumPy's and torch's global generators, which Transformers' Trainer seeds."""
    import random

    import numpy as np
    import torch

    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
