"""The folder a training writes: beside it while it works, in its place only when whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UsageError
from harness.finetune.methods import Trainee, finished

if TYPE_CHECKING:
    from harness.engine import Checkpoint
    from harness.finetune.recipe import Recipe

MANIFEST = "training.json"
_BEGUN = "begun.json"
_COPIED = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tekken.json",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
)
_DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where a training writes.

    Args:
        out: The finished checkpoint.
        work: Saved states while it works.
        result: The checkpoint while it is written; beside `out`, so that a relative path to the base holds.
    """

    out: Path
    work: Path
    result: Path


def places_of(out: Path) -> Places:
    """The places of an output folder."""
    out = Path(os.path.abspath(out.expanduser()))
    return Places(out, out.with_name(out.name + ".partial"), out.with_name(out.name + ".writing"))


def finished_manifest(places: Places, training_id: str) -> dict[str, Any] | None:
    """The manifest of a finished training of the same content; None where there is nothing yet.

    Raises:
        UsageError: If the folder holds something else.
    """
    if not places.out.exists():
        return None
    if places.out.is_dir() and not any(places.out.iterdir()):
        return None
    manifest = _read(places.out / MANIFEST)
    if manifest is not None and manifest.get("training_id") == training_id:
        return manifest
    what = "another training's result" if manifest is not None else "something else"
    raise UsageError(
        f"{places.out} holds {what} and is not overwritten; name another --out, or remove it yourself."
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def begin(places: Places, training_id: str, *, resume: bool) -> bool:
    """Makes the working folder; whether there was one of the same training to go on from.

    Raises:
        UsageError: If it cannot be written, or belongs to another training.
    """
    begun = _read(places.work / _BEGUN)
    if places.work.exists():
        if not resume:
            shutil.rmtree(places.work)
        elif begun is None or begun.get("training_id") != training_id:
            raise UsageError(
                f"{places.work} holds an unfinished training of another recipe, base or data; remove it, pass "
                "--no-resume to start afresh, or name another --out."
            )
        else:
            return True
    try:
        places.work.mkdir(parents=True)
        write_json(places.work / _BEGUN, {"training_id": training_id})
    except OSError as error:
        raise UsageError(
            f"{places.out} cannot be written ({error.strerror or error}); name a folder that can."
        ) from error
    return False


@contextmanager
def full_disk_told(places: Places) -> Iterator[None]:
    """Tells of a disk that is full or gone, and that nothing saved is lost.

    Raises:
        UsageError: In place of what the file system said.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{places.out} could not be written ({reason}). States saved before are kept in {places.work}: make "
            "room and run the same command again to go on."
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Writes a record, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """A record written by `write_json`; None where there is none."""
    return _read(path)


def write_checkpoint(trainee: Trainee, recipe: Recipe, checkpoint: Checkpoint, places: Places) -> str:
    """Writes weights or adapter, config, tokenizer; returns which: "full" or "adapter"."""
    from harness.engine.loading import tokenizer_folder

    if places.result.exists():
        shutil.rmtree(places.result)
    places.result.mkdir(parents=True)
    done = finished(trainee)
    if done.lora is not None:
        _write_adapter(done.model, checkpoint, places)
    else:
        _write_weights(done.model, recipe, checkpoint, places.result)
    # Copied, not saved anew: an equal tokenizer keeps its digest.
    folder = tokenizer_folder(checkpoint.location)
    for name in _COPIED:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, places.result / name)
    return "full" if done.lora is None else "adapter"


def _write_weights(model: Any, recipe: Recipe, checkpoint: Checkpoint, folder: Path) -> None:
    import torch

    from harness.engine.loading import no_progress_bar

    name = recipe.shape.save_dtype
    dtype = getattr(torch, _base_dtype(checkpoint) if name == "base" else name)
    model.to(dtype)
    model.config.dtype = dtype
    with no_progress_bar():
        model.save_pretrained(str(folder))


def _base_dtype(checkpoint: Checkpoint) -> str:
    """The number format of the base's weight files."""
    from safetensors import safe_open

    from harness.engine.weight_files import weight_files

    first = weight_files(checkpoint.location.weights)[0]
    with safe_open(str(first), framework="pt") as file:
        kinds = [str(file.get_slice(name).get_dtype()) for name in list(file.keys())[:1]]
    return _DTYPES.get(kinds[0] if kinds else "", "float32")


def _write_adapter(model: Any, checkpoint: Checkpoint, places: Places) -> None:
    """The adapter, naming its base by a path relative to itself, or by its hub id."""
    weights = checkpoint.location.weights
    is_hub_id = not Path(checkpoint.identity.name).expanduser().exists() and "/" in checkpoint.identity.name
    try:
        relative = Path(os.path.relpath(weights, places.out)).as_posix()
    except ValueError:  # another drive
        relative = str(weights)
    for config in model.peft_config.values():
        config.base_model_name_or_path = checkpoint.identity.name if is_hub_id else relative
    model.save_pretrained(str(places.result), save_embedding_layers=False)
    card = places.result / "README.md"  # PEFT's empty model card
    card.unlink(missing_ok=True)


def publish(places: Places) -> None:
    """Puts the whole result in its place and removes what was needed to get there."""
    if places.out.exists():
        places.out.rmdir()  # empty: `finished_manifest` looked
    places.result.rename(places.out)
    shutil.rmtree(places.work)
