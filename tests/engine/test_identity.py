"""A checkpoint's digest is its content: moving it changes nothing, changing it does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from harness.engine import open_checkpoint


def _opened_digest(folder: Path) -> str:
    return open_checkpoint(folder, device="cpu").identity.digest


def test_a_moved_folder_is_the_same_checkpoint(tiny_checkpoint: Path, copied: Path, tmp_path: Path) -> None:
    moved = shutil.move(copied, tmp_path / "elsewhere")
    assert _opened_digest(moved) == _opened_digest(tiny_checkpoint)
    assert open_checkpoint(moved, device="cpu").identity.name == "elsewhere"


def _change_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][0] += 1
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _change_json(folder: Path, name: str, field: str, value: object) -> None:
    path = folder / name
    record = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**record, field: value}))


CHANGES: dict[str, Callable[[Path], None]] = {
    "one weight": _change_weight,
    "config": lambda folder: _change_json(folder, "config.json", "rms_norm_eps", 0.5),
    "tokenizer": lambda folder: _change_json(folder, "tokenizer_config.json", "add_prefix_space", True),
    "chat template": lambda folder: (folder / "chat_template.jinja").write_text("{{ messages[0].content }}"),
    "end tokens": lambda folder: _change_json(folder, "generation_config.json", "eos_token_id", [2, 7]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_part_that_changes_makes_another_checkpoint(
    tiny_checkpoint: Path, copied: Path, change: str
) -> None:
    CHANGES[change](copied)
    assert _opened_digest(copied) != _opened_digest(tiny_checkpoint)


@pytest.mark.parametrize("field", ["_name_or_path", "transformers_version"])
def test_where_and_by_what_it_was_saved_is_no_part_of_it(
    tiny_checkpoint: Path, copied: Path, field: str
) -> None:
    _change_json(copied, "config.json", field, "another")
    assert _opened_digest(copied) == _opened_digest(tiny_checkpoint)


def test_switching_the_template_off_leaves_the_checkpoint_the_same(tiny_chat_checkpoint: Path) -> None:
    applied = open_checkpoint(tiny_chat_checkpoint, device="cpu")
    plain = open_checkpoint(tiny_chat_checkpoint, device="cpu", chat_template=False)
    assert applied.identity == plain.identity
    assert plain.template is None


def test_the_parameters_are_counted_without_loading_them(tiny_checkpoint: Path) -> None:
    checkpoint = open_checkpoint(tiny_checkpoint, device="cpu")
    assert checkpoint.identity.n_parameters == sum(weight.numel() for weight in checkpoint.model.parameters())
    assert checkpoint.identity.architecture == "LlamaForCausalLM"


def test_an_adapter_has_digests_of_its_own_and_its_base(adapter: Path, tiny_checkpoint: Path) -> None:
    base, tuned = (open_checkpoint(folder, device="cpu").identity for folder in (tiny_checkpoint, adapter))
    assert base.adapter is None
    assert tuned.adapter is not None
    assert tuned.weights == base.weights
    assert tuned.digest != base.digest
    # 2 layers x (q_proj: 32x4 + 4x32, v_proj: 32x4 + 4x16)
    assert tuned.n_parameters == base.n_parameters + 2 * (128 + 128 + 128 + 64)
