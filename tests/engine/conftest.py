"""Opened tiny checkpoints, and a digest memory of the tests' own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import Checkpoint, open_checkpoint


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's cache folder is left alone."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("HARNESS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def tiny(tiny_checkpoint: Path, own_cache: Path) -> Checkpoint:
    """The tiny checkpoint, opened on the CPU in fp32; tests must not change its weights."""
    return open_checkpoint(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="session")
def tiny_chat(tiny_chat_checkpoint: Path, own_cache: Path) -> Checkpoint:
    """The tiny checkpoint with a chat template."""
    return open_checkpoint(tiny_chat_checkpoint, device="cpu")


@pytest.fixture
def copied(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint's folder that a test may damage."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copied"))


@pytest.fixture
def adapter(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A LoRA adapter beside a copy of its base, which it names by a relative path."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = shutil.copytree(tiny_checkpoint, tmp_path / "base")
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM"),
    )
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    model.peft_config["default"].base_model_name_or_path = "../base"
    folder = tmp_path / "adapter"
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def own_tiny(tiny_checkpoint: Path) -> Checkpoint:
    """The tiny checkpoint with weights of its own, for a test that damages them."""
    return open_checkpoint(tiny_checkpoint, device="cpu")


ARCHITECTURES = ("llama", "gpt2", "gpt_neox", "opt", "gemma2", "mistral", "bloom", "qwen3", "mamba")


@pytest.fixture(scope="session", params=ARCHITECTURES)
def any_architecture(
    request: pytest.FixtureRequest, tiny: Checkpoint, tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    """A tiny random model of each of several architectures, with the tiny tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {
        "vocab_size": len(tiny.tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 128,
        "initializer_range": 0.2,
        "bos_token_id": tiny.tokenizer.bos_token_id,
        "eos_token_id": tiny.tokenizer.eos_token_id,
        "pad_token_id": tiny.tokenizer.pad_token_id,
    }
    special = {
        "opt": {"word_embed_proj_dim": 32, "ffn_dim": 64},
        "gemma2": {"head_dim": 8, "num_key_value_heads": 2, "intermediate_size": 64, "sliding_window": 8},
        "mistral": {"num_key_value_heads": 2, "intermediate_size": 64, "sliding_window": 8},
        "qwen3": {"head_dim": 8, "num_key_value_heads": 2, "intermediate_size": 64},
        "gpt_neox": {"intermediate_size": 64},
        "llama": {"intermediate_size": 64},
        "mamba": {"state_size": 8},
    }
    config = AutoConfig.for_model(request.param, **{**sizes, **special.get(request.param, {})})
    folder = tmp_path_factory.mktemp(request.param) / request.param
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tiny.tokenizer.save_pretrained(folder)
    return open_checkpoint(folder, device="cpu")
