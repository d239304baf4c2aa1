"""finetune: a recipe carried out, from its data to a checkpoint with its manifest."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.digest import digest
from harness.core.errors import UsageError
from harness.finetune import output
from harness.finetune.methods import (
    Trainee,
    kept_generators,
    load_tensors,
    load_trainee,
    ready_for,
    save_tensors,
)
from harness.finetune.prepare import Prepared, StageRows, open_base, prepared
from harness.finetune.progress import Progress, silent
from harness.finetune.recipe import Recipe
from harness.finetune.train_stage import StageDone, train_stage

if TYPE_CHECKING:
    from harness.engine import Checkpoint

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training.

    Args:
        checkpoint: Folder of the new checkpoint, which `open_checkpoint` opens.
        manifest: What `training.json` in it says.
        is_new: Whether it was trained now; False where the same training had finished before.
    """

    checkpoint: Path
    manifest: dict[str, Any]
    is_new: bool

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"checkpoint": str(self.checkpoint), "is_new": self.is_new, "manifest": self.manifest}


def finetune(
    recipe: Recipe,
    *,
    out: str | Path,
    device: str = "auto",
    resume: bool = True,
    progress: Progress = silent,
) -> Trained:
    """Trains as the recipe says and writes a checkpoint with its manifest `training.json`.

    Equal recipe, base and data, equal weights on one machine, also when a killed training is taken up again. A
    folder that already holds the result of the same training is returned as it is.

    Args:
        recipe: From `load_recipe` or `recipe_from_json`.
        out: Folder of the new checkpoint; what else lies there is never overwritten.
        device: auto, cpu, cuda or mps.
        resume: Whether to go on from the last saved state; else it starts afresh.
        progress: Called about every ten steps.

    Raises:
        RecipeError: For a fault of the recipe, base included.
        DataError: For rows that cannot be used.
        UsageError: If `out` is taken or cannot be written.
    """
    _check_device(device)
    with open_base(recipe, device=device) as checkpoint:
        begun = time.perf_counter()
        ready = prepared(recipe, checkpoint)
        training_id = _training_id(recipe, checkpoint, ready)
        places = output.places_of(Path(out))
        before = output.finished_manifest(places, training_id)
        if before is not None:
            return Trained(places.out, before, is_new=False)
        output.begin(places, training_id, resume=resume)
        seconds_prepared = time.perf_counter() - begun
        with kept_generators(), output.full_disk_told(places):
            trainee, done = _stages(recipe, checkpoint, ready, places, progress)
            kind = output.write_checkpoint(trainee, recipe, checkpoint, places)
        manifest = _manifest(recipe, checkpoint, ready, done)
        manifest["training_id"] = training_id
        manifest["result"] = {"kind": kind, **_result(places)}
        manifest["timings"] = {
            "prepare_seconds": round(seconds_prepared, 3),
            "train_seconds": round(sum(stage.seconds for stage in done), 3),
            "seconds": round(time.perf_counter() - begun, 3),
        }
        with output.full_disk_told(places):
            output.write_json(places.result / output.MANIFEST, manifest)
            output.publish(places)
    return Trained(places.out, manifest, is_new=True)


def _check_device(device: str) -> None:
    if device.startswith("cuda:") and device != "cuda:0":
        raise UsageError(
            f"Training takes the first GPU in sight, not '{device}'; set CUDA_VISIBLE_DEVICES to choose it and "
            "pass --device cuda."
        )


def _training_id(recipe: Recipe, checkpoint: Checkpoint, ready: Prepared) -> str:
    """Recipe, base and the rows it really learns from: what decides the weights."""
    rows = [stage.digest for stage in ready.stages]
    return digest("training/1", recipe.digest, checkpoint.identity.digest, rows)


def _stages(
    recipe: Recipe, checkpoint: Checkpoint, ready: Prepared, places: output.Places, progress: Progress
) -> tuple[Trainee, list[StageDone]]:
    """Every stage in order; those finished before an interruption are taken from their saved tensors."""
    trainee = load_trainee(checkpoint, recipe)
    done = []
    for place, rows in enumerate(ready.stages):
        trainee = ready_for(trainee, recipe, place)
        tensors = places.work / f"stage-{place}.safetensors"
        record = places.work / f"stage-{place}.json"
        finished = output.read_json(record)
        if finished is not None and tensors.is_file():
            load_tensors(trainee.model, tensors)
            done.append(StageDone(**{**finished, "curve": tuple(finished["curve"])}))
            continue
        stage_done = train_stage(
            trainee.model,
            recipe,
            place,
            rows,
            checkpoint,
            folder=places.work / f"stage-{place}",
            progress=progress,
        )
        save_tensors(trainee.model, tensors)
        output.write_json(record, asdict(stage_done))
        done.append(stage_done)
    return replace(trainee, model=trainee.model.eval()), done


def _result(places: output.Places) -> dict[str, Any]:
    """Digests of the new checkpoint; opening it proves that it opens."""
    from harness.engine import open_checkpoint

    with open_checkpoint(places.result, device="cpu") as opened:
        identity = asdict(opened.identity)
    return {**identity, "name": places.out.name, "path": str(places.out)}


def stage_record(rows: StageRows) -> dict[str, Any]:
    """A stage's counts as plain values."""
    return {
        "rows": len(rows.rows),
        "rows_digest": rows.digest,
        "replay_rows": rows.n_replay,
        "too_long": rows.n_too_long,
        "split_apart": rows.n_split,
        "tokens": rows.n_tokens,
        "learned_tokens": rows.n_learned,
        "rows_read": rows.plan.n_read,
        "batches": len(rows.plan.batches),
        "steps": rows.plan.steps,
        "replay": None if rows.replay is None else asdict(rows.replay),
    }


def _manifest(
    recipe: Recipe, checkpoint: Checkpoint, ready: Prepared, done: list[StageDone]
) -> dict[str, Any]:
    from datetime import datetime

    return {
        "schema": SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": recipe.to_json(),
        "recipe_digest": recipe.digest,
        "recipe_path": None if recipe.path is None else str(recipe.path),
        "seed": recipe.shape.seed,
        "base": asdict(checkpoint.identity),
        "data": [asdict(source) for source in ready.sources],
        "treatments": [{**asdict(count), "rejected": dict(count.rejected)} for count in ready.treatments],
        "stages": [
            {"method": stage.method, **stage_record(rows), **asdict(ended), "curve": list(ended.curve)}
            for stage, rows, ended in zip(recipe.shape.stages, ready.stages, done, strict=True)
        ],
        "environment": _environment(checkpoint),
    }


def _environment(checkpoint: Checkpoint) -> dict[str, Any]:
    import platform
    from importlib.metadata import version

    import torch

    from harness.engine.devices import device_name

    packages = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors")
    return {
        "device": str(checkpoint.device),
        "device_name": device_name(checkpoint.device),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version(name) for name in packages},
    }
