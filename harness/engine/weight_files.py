"""Finds a folder's weight files and proves them whole before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from harness.core.errors import CheckpointError

CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"
WEIGHTS = "model.safetensors"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
# Files of other things than weights that trainers leave beside them.
NOT_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "scaler.pt")
LFS_POINTER = b"version https://git-lfs"
_LONGEST_HEADER = 100_000_000  # the limit of the safetensors format


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a checkpoint.

    Raises:
        CheckpointError: If the file is absent, unreadable or no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CheckpointError(f"{path} cannot be read ({exc}).") from exc
    if text.startswith(LFS_POINTER.decode()):
        raise CheckpointError(_lfs_message(path))
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        raise CheckpointError(f"{path}:{exc.lineno}: not JSON ({exc.msg}); copy the file again.") from exc
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: expected a JSON object, got {type(value).__name__}.")
    return value


def weight_files(folder: Path, *, single: str = WEIGHTS, allow_pickle: bool = False) -> tuple[Path, ...]:
    """The files that hold a folder's weights, sorted by name, each proven whole.

    Args:
        folder: A checkpoint or adapter folder.
        single: Name of the file that holds all weights where there is no index.
        allow_pickle: Whether pickled files may stand in where there are no safetensors.

    Raises:
        CheckpointError: Naming the file that is missing, cut short, pickled or only a pointer.
    """
    _refuse_unfinished(folder)
    index = folder / f"{single}.index.json"
    found: tuple[Path, ...]
    if (folder / single).exists():
        found = (folder / single,)
    elif index.exists():
        found = _shards(index)
    else:
        return _pickled_files(folder, single, allow_pickle=allow_pickle)
    for path in found:
        safetensors_header(path)
    return found


def safetensors_header(path: Path) -> dict[str, Any]:
    """The tensors a safetensors file declares, after checking that all their bytes are there.

    Raises:
        CheckpointError: If the file is cut short, damaged or a Git LFS pointer.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(len(LFS_POINTER))
        if start == LFS_POINTER:
            raise CheckpointError(_lfs_message(path))
        length = int.from_bytes(start[:8], "little")
        if size < 8 or length > _LONGEST_HEADER or 8 + length > size:
            raise CheckpointError(
                f"{path} is not a whole safetensors file: {size} bytes, its header wants {length + 8}. "
                "Copy it again."
            )
        stream.seek(8)
        raw = stream.read(length)
    try:
        header: dict[str, Any] = json.loads(raw)
        header.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise CheckpointError(
            f"{path}: the safetensors header is damaged ({exc}). Copy the file again."
        ) from exc
    if 8 + length + end != size:
        raise CheckpointError(
            f"{path} is cut short or damaged: {size} bytes, its header promises {8 + length + end}. "
            "Copy it again."
        )
    return header


def n_parameters(files: Sequence[Path]) -> int | None:
    """How many numbers the files store, None where one of them is pickled."""
    if any(path.suffix != ".safetensors" for path in files):
        return None
    headers = (safetensors_header(path) for path in files)
    return sum(prod(entry["shape"]) for header in headers for entry in header.values())


def _refuse_unfinished(folder: Path) -> None:
    unfinished = sorted(folder.glob("*.incomplete"))
    if unfinished:
        raise CheckpointError(
            f"{folder} is half downloaded: {unfinished[0].name} is there. Finish the download, or "
            "delete that file."
        )


def _shards(index: Path) -> tuple[Path, ...]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise CheckpointError(
            f"{index}: weight_map: expected tensor names with their files; copy the file again."
        )
    names = sorted({str(name) for name in places.values()})
    missing = [name for name in names if not (index.parent / name).exists()]
    if missing:
        raise CheckpointError(
            f"{index.parent} is half downloaded: {len(missing)} of {len(names)} weight files named in "
            f"{index.name} "
            f"are missing, the first is {missing[0]}. Finish the download."
        )
    return tuple(index.parent / name for name in names)


def _pickled_files(folder: Path, single: str, *, allow_pickle: bool) -> tuple[Path, ...]:
    pickled = sorted(
        path for pattern in PICKLED for path in folder.glob(pattern) if path.name not in NOT_WEIGHTS
    )
    if not pickled:
        raise CheckpointError(
            f"{folder} holds no weights: neither {single} nor {single}.index.json is there."
        )
    if not allow_pickle:
        raise CheckpointError(
            f"{folder} has only pickled weights ({pickled[0].name}). Unpickling can run code of "
            "whoever made the "
            "file. Convert it to safetensors, or, if you trust its maker, pass --allow-pickle "
            "(allow_pickle=True)."
        )
    return tuple(pickled)


def _lfs_message(path: Path) -> str:
    return f"{path} is a Git LFS pointer, not the file itself. Run `git lfs pull` in {path.parent}."
