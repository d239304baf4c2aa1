"""Opening a checkpoint: what is refused, and what each refusal says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from harness.core.errors import CheckpointError, UnknownName, UsageError
from harness.core.exchange import Conversation, Message
from harness.engine import Checkpoint, open_checkpoint


def _edit(path: Path, **changes: object) -> None:
    record = json.loads(path.read_text())
    record.update(changes)
    path.write_text(json.dumps({name: value for name, value in record.items() if value is not None}))


def test_a_folder_that_is_not_there_suggests_its_neighbour(copied: Path) -> None:
    with pytest.raises(CheckpointError, match="Did you mean 'copied'"):
        open_checkpoint(f"{copied.parent}/copid")


def test_a_file_is_no_checkpoint(copied: Path) -> None:
    with pytest.raises(CheckpointError, match="is a file; name the folder"):
        open_checkpoint(copied / "config.json")


def test_a_trainers_output_folder_names_the_checkpoint_inside(copied: Path, tmp_path: Path) -> None:
    shutil.move(copied, tmp_path / "out" / "checkpoint-30")
    with pytest.raises(CheckpointError, match=r"no checkpoint.*'checkpoint-30'"):
        open_checkpoint(tmp_path / "out")


def test_a_hub_id_that_cannot_be_had_is_one_message_without_network() -> None:
    with pytest.raises(CheckpointError, match=r"no folder 'nobody/nothing' here.*hub.*download it first"):
        open_checkpoint("nobody/nothing")


def test_a_hub_id_is_downloaded_without_pickles_or_code(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked: list[tuple[str, list[str]]] = []

    def download(repo_id: str, *, allow_patterns: list[str]) -> str:
        asked.append((repo_id, allow_patterns))
        return str(tiny_checkpoint)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert open_checkpoint("someone/something", device="cpu").identity.name == "someone/something"
    open_checkpoint("someone/something", device="cpu", allow_pickle=True, trust_remote_code=True)
    [(repo_id, careful), (_, trusting)] = asked
    assert repo_id == "someone/something"
    assert "*.safetensors" in careful
    assert not {"*.bin", "*.py"} & set(careful)
    assert {"*.bin", "*.py"} <= set(trusting)


def test_a_missing_tokenizer_is_named(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"holds no tokenizer \(tokenizer\.json"):
        open_checkpoint(copied)


def test_a_config_of_an_unknown_kind_is_one_message(copied: Path) -> None:
    _edit(copied / "config.json", model_type="llamma")
    with pytest.raises(CheckpointError, match="config of .* cannot be loaded.*llamma"):
        open_checkpoint(copied)


def test_code_of_the_checkpoints_own_is_not_run(copied: Path) -> None:
    _edit(copied / "config.json", model_type="own", auto_map={"AutoConfig": "own.OwnConfig"})
    (copied / "own.py").write_text("raise SystemExit('ran')")
    with pytest.raises(CheckpointError, match="--trust-remote-code"):
        open_checkpoint(copied)


def test_a_config_that_is_not_json_names_its_line(copied: Path) -> None:
    (copied / "config.json").write_text('{\n"model_type": }')
    with pytest.raises(CheckpointError, match=r"config\.json:2: not JSON"):
        open_checkpoint(copied)


def test_a_tensor_that_is_missing_is_not_made_up(copied: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lack 1 tensor.*layers\.1\.mlp\.up_proj"):
        _ = open_checkpoint(copied, device="cpu").model


def test_weights_of_another_shape_than_the_config_are_refused(copied: Path) -> None:
    _edit(copied / "config.json", intermediate_size=48)
    with pytest.raises(CheckpointError, match="weights of .* cannot be loaded"):
        _ = open_checkpoint(copied, device="cpu").model


def test_pickled_weights_open_only_when_allowed(copied: Path) -> None:
    import torch

    torch.save(load_file(copied / "model.safetensors"), copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="--allow-pickle"):
        open_checkpoint(copied)
    with open_checkpoint(copied, device="cpu", allow_pickle=True) as checkpoint:
        assert checkpoint.identity.n_parameters is None
        assert checkpoint.model.config.model_type == "llama"


@pytest.mark.parametrize(("dtype", "meant"), [("flaot32", "float32"), ("bf-16", "bf16")])
def test_an_unknown_dtype_suggests_the_one_meant(tiny_checkpoint: Path, dtype: str, meant: str) -> None:
    with pytest.raises(UnknownName, match=f"Did you mean .*'{meant}'"):
        open_checkpoint(tiny_checkpoint, dtype=dtype)


def test_an_unknown_device_suggests_the_one_meant(tiny_checkpoint: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'cuda'"):
        open_checkpoint(tiny_checkpoint, device="cudda")


def test_a_device_this_machine_lacks_is_refused(tiny_checkpoint: Path) -> None:
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this machine has an MPS device")
    with pytest.raises(UsageError, match="'mps' is not available"):
        open_checkpoint(tiny_checkpoint, device="mps")


def test_weights_come_in_the_dtype_asked_for(tiny_checkpoint: Path) -> None:
    with open_checkpoint(tiny_checkpoint, device="cpu", dtype="bf16") as checkpoint:
        assert {str(weight.dtype) for weight in checkpoint.model.parameters()} == {"torch.bfloat16"}
        assert checkpoint.describe()["dtype"] == "bfloat16"
    assert open_checkpoint(tiny_checkpoint, device="cpu").describe()["dtype"] == "float32"


def test_an_adapter_without_its_base_is_refused(adapter: Path) -> None:
    shutil.rmtree(adapter.parent / "base")
    with pytest.raises(
        CheckpointError, match=r"needs its base '\.\./base', which is absent.*adapter_config\.json"
    ):
        open_checkpoint(adapter)


def test_an_adapter_of_another_base_is_refused(adapter: Path) -> None:
    weights = load_file(adapter / "adapter_model.safetensors")
    renamed = {name.replace("q_proj", "k_proj"): weight for name, weight in weights.items()}
    save_file(renamed, adapter / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match="does not fit its base"):
        _ = open_checkpoint(adapter, device="cpu").model


def test_an_adapter_uses_a_tokenizer_of_its_own(adapter: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(adapter.parent / "base" / name, adapter / name)
    _edit(adapter / "tokenizer_config.json", chat_template="{{ messages[0].content }}!")
    assert open_checkpoint(adapter, device="cpu").render(Conversation((Message("user", "Hi"),))) == "Hi!"


def test_a_chat_template_asked_for_must_be_there(tiny_checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="has no chat template"):
        open_checkpoint(tiny_checkpoint, chat_template=True)


def test_a_tokenizer_without_end_or_pad_token_is_told(copied: Path) -> None:
    _edit(copied / "tokenizer_config.json", eos_token=None, pad_token=None)
    for name in ("config.json", "generation_config.json"):
        _edit(copied / name, eos_token_id=None, pad_token_id=None)
    description = open_checkpoint(copied, device="cpu").describe()
    assert any("no end-of-sequence token" in str(warning) for warning in description["warnings"])


def test_a_description_is_json(tiny_chat: Checkpoint) -> None:
    description = json.loads(json.dumps(tiny_chat.describe()))
    assert description["checkpoint"] == tiny_chat.identity.digest
    assert description["template"]["kind"] == "chat"
    assert description["template"]["clock"].startswith("2026-01-01")


def test_without_a_template_the_prompt_is_plain_text(tiny: Checkpoint) -> None:
    asked = Conversation((Message("user", "Hi?"),), cue="Answer:", joiner=" ")
    assert tiny.render(asked) == "Hi?\n\nAnswer:"
    assert tiny.joiner(asked) == " "
    assert tiny.render("as it stands ") == "as it stands "
    assert tiny.joiner("as it stands ") == ""


def test_with_a_template_the_cue_is_left_out(tiny_chat: Checkpoint) -> None:
    asked = Conversation((Message("system", "Be brief."), Message("user", "Hi?")), cue="Answer:", joiner=" ")
    # By hand from the template in tests/conftest.py.
    assert tiny_chat.render(asked) == "<s><|system|>Be brief.\n<|user|>Hi?\n<|assistant|>"
    assert tiny_chat.joiner(asked) == ""


def test_no_second_bos_is_put_before_a_template_that_writes_it(
    tiny_chat: Checkpoint, tiny: Checkpoint
) -> None:
    from harness.engine.tokens import encoded

    [ids] = encoded(tiny_chat.tokenizer, [tiny_chat.render(Conversation((Message("user", "Hi?"),)))])
    assert ids.count(tiny_chat.tokenizer.bos_token_id) == 1
    [ids] = encoded(tiny.tokenizer, ["Hi?"])
    assert ids.count(tiny.tokenizer.bos_token_id) == 1
