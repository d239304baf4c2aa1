"""Random checkpoints of stated shapes, with a tokenizer of numbered words that gives every token id back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL = ("<s>", "</s>", "<pad>", "<unk>")
STOP_WORD = "stop"
FIRST_WORD = len(SPECIAL) + 1  # the first numbered word; the stop word stands before it
SEED = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's dimensions.

    Args:
        family: `llama` or `qwen2`.
        vocabulary: Tokens.
        hidden: Width of the residual stream.
        inner: Width inside the MLP.
        layers: Blocks.
        heads: Query heads.
        kv_heads: Key and value heads.
        tied: Whether the head is the embedding.
    """

    family: str
    vocabulary: int
    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    tied: bool = False


MODELS: Mapping[str, Shape] = {
    "small": Shape("llama", 4096, 128, 344, 4, 4, 4, tied=True),  # 1.3 M
    "medium": Shape("llama", 32_000, 512, 1376, 8, 8, 8),  # 58 M
    "medium_150k": Shape("llama", 150_000, 512, 1376, 8, 8, 8, tied=True),  # 102 M
    "qwen2_0.5b": Shape("qwen2", 151_936, 896, 4864, 24, 14, 2, tied=True),
    "qwen2_7b": Shape("qwen2", 152_064, 3584, 18_944, 28, 28, 4),
    "llama_8b": Shape("llama", 128_256, 4096, 14_336, 32, 32, 8),
}


def words(tokens: Iterable[int]) -> str:
    """The text whose tokens are exactly these, none of them special.

    Example:
        >>> words([5, 17])
        't5 t17'
    """
    return " ".join(f"t{token}" for token in tokens)


def numbered_tokenizer(vocabulary: int, *, max_tokens: int) -> PreTrainedTokenizerFast:
    """One token per word, `t17` being token 17; no token is added before a text."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = [*SPECIAL, STOP_WORD, *(f"t{token}" for token in range(FIRST_WORD, vocabulary))]
    tokenizer = Tokenizer(
        models.WordLevel({name: index for index, name in enumerate(names)}, unk_token=SPECIAL[3])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=SPECIAL[0],
        eos_token=SPECIAL[1],
        pad_token=SPECIAL[2],
        unk_token=SPECIAL[3],
        model_max_length=max_tokens,
        clean_up_tokenization_spaces=False,
    )


def _config(shape: Shape, max_tokens: int) -> Any:
    from transformers import LlamaConfig, Qwen2Config

    kind = {"llama": LlamaConfig, "qwen2": Qwen2Config}[shape.family]
    return kind(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=max_tokens,
        tie_word_embeddings=shape.tied,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )


def save_checkpoint(
    folder: Path, shape: Shape, *, dtype: str, device: str, countdown: bool = False, tokenizer: Any = None
) -> Path:
    """Saves a model with random weights, the same for the same arguments, and its tokenizer.

    Args:
        folder: Where to.
        shape: Its dimensions.
        dtype: Number format of the weights.
        device: Where the weights are drawn; large ones are drawn sooner on a GPU.
        countdown: Plant stops: after word n the model writes n - 1, and after the first word the stop word, so a
            prompt's last word says how long the answer is.
        tokenizer: Another tokenizer than the numbered one; its vocabulary must fit the shape's.
    """
    import torch
    from transformers import LlamaForCausalLM, Qwen2ForCausalLM

    max_tokens = 2048 if tokenizer is None else 8192
    kind = {"llama": LlamaForCausalLM, "qwen2": Qwen2ForCausalLM}[shape.family]
    place = torch.device(device)
    with torch.random.fork_rng(devices=[0] if place.type == "cuda" else []):
        torch.manual_seed(SEED)
        with place:
            model = kind(_config(shape, max_tokens)).to(getattr(torch, dtype))
        if countdown:
            _plant_countdown(model)
    model.save_pretrained(folder)
    own = tokenizer or numbered_tokenizer(shape.vocabulary, max_tokens=max_tokens)
    own.save_pretrained(folder)
    return folder


def _plant_countdown(model: Any) -> None:
    """Makes the head's row of word n the embedding of word n + 1.

    Embeddings of unit spread drown what the random blocks add, so the likeliest token wins by far and no
    rounding changes a text. Tied weights are untied: the head reads another row than the embedding.
    """
    import torch

    rows = model.get_input_embeddings().weight
    with torch.no_grad():
        torch.nn.init.normal_(rows, std=1.0)
        head = rows.detach().roll(-1, dims=0).contiguous()
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(head)
