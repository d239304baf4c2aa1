"""Weights that are not whole are refused by a message that names the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness.core.errors import CheckpointError
from harness.engine.weight_files import n_parameters, safetensors_header, weight_files


def _save(path: Path) -> Path:
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(5)}, path)
    return path


def test_a_header_lists_the_tensors_and_their_number(tmp_path: Path) -> None:
    path = _save(tmp_path / "model.safetensors")
    assert set(safetensors_header(path)) == {"a", "b"}
    assert n_parameters([path]) == 2 * 3 + 5


@pytest.mark.parametrize("kept", [0, 5, 30, -1])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, kept: int) -> None:
    path = _save(tmp_path / "model.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    with pytest.raises(CheckpointError, match=r"model\.safetensors.*Copy it again"):
        weight_files(tmp_path)


def test_a_header_of_noise_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes((16).to_bytes(8, "little") + b"\xff" * 16)
    with pytest.raises(CheckpointError, match="header is damaged"):
        weight_files(tmp_path)


def test_a_git_lfs_pointer_is_no_weights(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\nsize 9\n")
    with pytest.raises(CheckpointError, match="git lfs pull"):
        weight_files(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    _save(tmp_path / "model-00001-of-00002.safetensors")
    places = {"a": "model-00001-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    with pytest.raises(CheckpointError, match=r"1 of 2 .* model-00002-of-00002\.safetensors"):
        weight_files(tmp_path)


def test_shards_that_are_all_there_are_the_weights(tmp_path: Path) -> None:
    shard = _save(tmp_path / "model-00001-of-00001.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard.name}}))
    assert weight_files(tmp_path) == (shard,)


def test_an_unfinished_download_is_refused(tmp_path: Path) -> None:
    _save(tmp_path / "model.safetensors")
    (tmp_path / "model-2.safetensors.incomplete").touch()
    with pytest.raises(CheckpointError, match=r"half downloaded: model-2\.safetensors\.incomplete"):
        weight_files(tmp_path)


def test_pickled_weights_are_refused_with_the_reason_and_the_flag(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(CheckpointError, match=r"run code.*--allow-pickle"):
        weight_files(tmp_path)
    assert weight_files(tmp_path, allow_pickle=True) == (tmp_path / "pytorch_model.bin",)


def test_what_a_trainer_leaves_beside_is_no_weights(tmp_path: Path) -> None:
    (tmp_path / "training_args.bin").touch()
    with pytest.raises(CheckpointError, match="holds no weights"):
        weight_files(tmp_path)


def test_safetensors_win_over_pickled_weights(tmp_path: Path) -> None:
    path = _save(tmp_path / "model.safetensors")
    (tmp_path / "pytorch_model.bin").touch()
    assert weight_files(tmp_path) == (path,)
