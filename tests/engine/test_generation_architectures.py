"""Texts written in blocks are those of transformers' own `generate`, one prompt at a time, on every architecture."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from harness.core.exchange import Generate, Generation, GenerationSettings
from harness.core.rng import rng_for
from harness.engine import Checkpoint, generation
from harness.engine.memory import Budget
from harness.engine.planning import Opening
from harness.engine.text_blocks import Block
from harness.engine.writing_probe import exact_attention

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": None,
    "pad_token_id": 0,
}
GROUPED = {"num_key_value_heads": 2, "intermediate_size": 64}
HEADS = {**GROUPED, "head_dim": 8}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
# What reads the blocks, and what each config needs; windows are shorter than the prompts. Where attention is not
# called through Transformers' interface, or keys change after the cache, it is the model's own; alibi,
# state spaces and local attention without a mask of its own are written the plain way.
ARCHITECTURES: dict[str, tuple[str | None, dict[str, Any]]] = {
    "llama": ("own", GROUPED),
    "qwen2": ("own", GROUPED),
    "qwen3": ("own", HEADS),
    "qwen3_moe": (
        "own",
        {**HEADS, "moe_intermediate_size": 32, "num_experts": 4, "num_experts_per_tok": 2},
    ),
    "gpt2": ("own", {}),
    "gpt_neox": ("own", {"intermediate_size": 64}),
    "opt": ("own", {"word_embed_proj_dim": 32, "ffn_dim": 64}),
    "gemma": ("own", HEADS),
    "gemma2": ("own", {**HEADS, "sliding_window": 8}),
    "gemma3_text": (
        "own",
        {**HEADS, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]},
    ),
    "mistral": ("own", {**GROUPED, "sliding_window": 8}),
    "mixtral": ("own", {**GROUPED, **EXPERTS, "sliding_window": 8}),
    "phi3": ("own", {**GROUPED, "sliding_window": 8}),
    "gpt_oss": ("own", {**HEADS, **EXPERTS, "sliding_window": 8}),
    "cohere2": ("own", {**GROUPED, "sliding_window": 8, "logit_scale": 1.0}),
    "olmo2": ("own", {"intermediate_size": 64}),
    "stablelm": ("own", GROUPED),
    "glm4": ("own", HEADS),
    "granite": ("own", GROUPED),
    "smollm3": ("own", GROUPED),
    "falcon": ("model", {"alibi": False}),
    "deepseek_v3": (
        "model",
        {
            **{"num_key_value_heads": 4, "intermediate_size": 64, "moe_intermediate_size": 32},
            **{"n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1},
            **{"q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8},
            **{"v_head_dim": 8, "first_k_dense_replace": 1},
        },
    ),
    "gptj": ("model", {"n_embd": 32, "n_head": 4, "n_layer": 2, "rotary_dim": 4, "n_positions": 128}),
    "bloom": (None, {}),
    "mamba": (None, {"state_size": 8}),
    "gpt_neo": (
        None,
        {
            **{"num_layers": 2, "num_heads": 4, "window_size": 8},
            "attention_types": [[["global", "local"], 1]],
        },
    ),
}
LIMIT = 7


def _model(name: str, n_words: int) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(name, **{**SIZES, **ARCHITECTURES[name][1], "vocab_size": n_words})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = AutoModelForCausalLM.from_config(config).eval()
    model.generation_config.eos_token_id = None
    return model


@pytest.fixture(params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest, tiny: Checkpoint) -> Iterator[tuple[str, Checkpoint]]:
    """A tiny random model of each architecture, as a checkpoint whose texts end at the limit only."""
    model = _model(request.param, len(tiny.tokenizer))
    checkpoint = SimpleNamespace(model=model, tokenizer=tiny.tokenizer, end_tokens=())
    yield request.param, cast(Checkpoint, checkpoint)


def _openings(n_words: int) -> list[Opening]:
    """Six prompts after one beginning of 20 tokens, and two that share nothing with them."""
    rng = rng_for(3, "openings")

    def tokens(n: int) -> list[int]:
        return [3 + rng.integer(n_words - 3) for _ in range(n)]

    shared = tokens(20)
    prompts = [*([*shared, *tokens(n)] for n in (1, 9, 4, 13, 2, 6)), tokens(5), tokens(17)]
    return [
        Opening(Generate(f"g{index}", "", GenerationSettings(max_tokens=limit)), array("i", prompt), limit)
        for index, (prompt, limit) in enumerate(
            zip(prompts, [LIMIT, 3, LIMIT, 1, LIMIT, 5, 2, 6], strict=True)
        )
    ]


def _texts(checkpoint: Checkpoint, openings: list[Opening], room: int) -> dict[str, str]:
    found = {}
    for text in generation.written(checkpoint, openings, Budget(room), is_given=True):
        assert isinstance(text.result, Generation)
        found[text.request_id] = text.result.text
    return found


def _expected(checkpoint: Checkpoint, openings: list[Opening]) -> dict[str, str]:
    """By transformers, one prompt at a time."""
    texts = {}
    for opening in openings:
        ids = torch.tensor([list(opening.tokens)])
        whole = checkpoint.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=opening.limit, do_sample=False
        )
        texts[opening.request.request_id] = checkpoint.tokenizer.decode(
            whole[0, ids.shape[1] :], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
    return texts


def test_greedy_texts_are_those_of_transformers_whatever_is_refilled(
    architecture: tuple[str, Checkpoint], tiny: Checkpoint
) -> None:
    name, checkpoint = architecture
    assert exact_attention(checkpoint.model) == ARCHITECTURES[name][0]
    openings = _openings(len(tiny.tokenizer))
    expected = _expected(checkpoint, openings)
    # 70 tokens hold two or three rows, so most texts begin in a place that another has left.
    assert _texts(checkpoint, openings, 70) == expected
    assert _texts(checkpoint, openings, 4000) == expected


@pytest.mark.parametrize("fault", ["position", "column"])
def test_a_wrong_place_after_a_refill_is_found(
    tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    checkpoint = cast(
        Checkpoint,
        SimpleNamespace(model=_model("llama", len(tiny.tokenizer)), tokenizer=tiny.tokenizer, end_tokens=()),
    )
    openings = _openings(len(tiny.tokenizer))
    right = generation.next_logits
    seen: list[Block] = []

    def wrong(model: Any, blocks: list[Block], *, attention: Any) -> Any:
        for block in blocks:
            if not any(block is one for one in seen):
                seen.append(block)
                if len(seen) > 1 and fault == "column":
                    block.lengths = [length + 1 for length in block.lengths]
                elif len(seen) > 1:
                    block.lengths = [max(0, length - 1) for length in block.lengths]
        return right(model, blocks, attention=attention)

    monkeypatch.setattr(generation, "next_logits", wrong)
    exact_attention(checkpoint.model)
    assert _texts(checkpoint, openings, 70) != _expected(checkpoint, openings)
    assert len(seen) > 1


def test_a_model_that_ignores_positions_is_written_the_plain_way(tiny: Checkpoint) -> None:
    model = _model("llama", len(tiny.tokenizer))

    def in_order(module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        width = kwargs["input_ids"].shape[1]
        return args, {**kwargs, "position_ids": torch.arange(width)[None]}

    model.model.register_forward_pre_hook(in_order, with_kwargs=True)
    assert exact_attention(model) is None


def test_a_window_that_is_not_kept_is_found(tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.engine import decoding_batch

    wide = decoding_batch.within
    monkeypatch.setattr(decoding_batch, "within", lambda distance, window: wide(distance, None))
    model = _model("mistral", len(tiny.tokenizer))
    model.config.sliding_window = 4096  # longer than anything a probe could read
    assert exact_attention(model) is None
    assert model.config.sliding_window == 4096


def test_the_model_keeps_its_own_attention_afterwards(tiny: Checkpoint) -> None:
    model = _model("llama", len(tiny.tokenizer))
    ids = torch.arange(3, 20)[None]
    with torch.inference_mode():
        before = model(input_ids=ids).logits
        assert exact_attention(model) == "own"
        assert model.config._attn_implementation == "sdpa"
        assert torch.equal(model(input_ids=ids).logits, before)
