"""Tiny random models of many architectures, built from their configs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

VOCABULARY = 200
_MOE = {"moe_intermediate_size": 32, "num_experts": 4, "num_experts_per_tok": 2}
_BOTH = ["sliding_attention", "full_attention"]

# Beside the common sizes. The first group attends to everything, the second through windows of 8 tokens.
FULL: Mapping[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {},
    "qwen3": {"head_dim": 8},
    "qwen3_moe": {"head_dim": 8, **_MOE},
    "gpt2": {},
    "gpt_neox": {},
    "opt": {"word_embed_proj_dim": 32, "ffn_dim": 64},
    "gemma": {"head_dim": 8},
    "olmo2": {},
    "falcon": {"alibi": False},
    "stablelm": {},
    "mixtral": {"num_local_experts": 4},
    "deepseek_v3": {
        **{"num_key_value_heads": 4, "q_lora_rank": 16, "kv_lora_rank": 8, "qk_rope_head_dim": 8},
        **{"qk_nope_head_dim": 8, "v_head_dim": 4, "n_routed_experts": 4, "num_experts_per_tok": 2},
        **{"n_group": 1, "topk_group": 1, "first_k_dense_replace": 1, "moe_intermediate_size": 32},
    },
    "glm4": {"head_dim": 8},
    "granite": {"logits_scaling": 4.0},
    "smollm3": {},
}
WINDOWED: Mapping[str, dict[str, Any]] = {
    "mistral": {"sliding_window": 8},
    "phi3": {"sliding_window": 8},
    "gemma2": {"head_dim": 8, "sliding_window": 8, "layer_types": _BOTH},
    "gemma3_text": {"head_dim": 8, "sliding_window": 8, "layer_types": _BOTH},
    "gpt_oss": {
        **{"head_dim": 8, "num_local_experts": 4, "num_experts_per_tok": 2},
        **{"sliding_window": 8, "layer_types": _BOTH, "rope_parameters": {"rope_type": "default"}},
    },
    "cohere2": {"sliding_window": 8, "layer_types": _BOTH},
}
NOT_SHARED: Mapping[str, dict[str, Any]] = {
    "bloom": {},
    "mamba": {"state_size": 8},
    "falcon": {"alibi": True},
    "mpt": {},
}


@lru_cache(maxsize=8)
def _built(name: str, alibi: bool) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    own = NOT_SHARED[name] if name in NOT_SHARED and alibi else {**FULL, **WINDOWED}[name]
    sizes = {
        **{"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
        **{"num_key_value_heads": 2, "intermediate_size": 64, "max_position_embeddings": 128},
        **{"initializer_range": 0.2, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 0},
    }
    if name == "mpt":
        sizes |= {"d_model": 32, "n_heads": 4, "n_layers": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(name, **{**sizes, **own})).eval()


def tiny_model(name: str, *, shared: bool = True) -> Any:
    """A model of two layers and some thousand parameters; tests must leave it as it is.

    Args:
        name: The model type.
        shared: Whether of the groups whose prefixes can be shared.
    """
    return _built(name, not shared)
