"""What decides the weights of the demo's base model, beside the world itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True)
class BaseRecipe:
    """Everything that decides the weights, beside the world itself.

    Args:
        easy_steps: Steps of the shortest rows.
        hard_steps: Where rows have grown to their full length.
        reading_weight: Of the loss of the text that is read, beside 1 for the answers.
        late_steps: From where the families that learn slowly come up more.
        precision: "bf16" multiplies in bfloat16 over fp32 weights (about 1.7 times as fast where the
            processor has the instructions), "fp32" in full.
    """

    seed: int = 1
    steps: int = 5500
    rows_a_step: int = 32
    micro_batches: int = 4
    peak_rate: float = 2e-3
    warmup_steps: int = 100
    cooldown_steps: int = 2000
    weight_decay: float = 0.02
    reading_weight: float = 0.3
    easy_steps: int = 300
    hard_steps: int = 1000
    late_steps: int = 3000
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    inner: int = 512
    precision: str = "bf16"


def new_model(recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast) -> Any:
    """A Llama with random weights of the recipe's seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=tokenizer.model_max_length,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        attn_implementation="eager",  # on a processor faster than the fused kernel at these sizes
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return LlamaForCausalLM(config)


def hardness_at(step: int, recipe: BaseRecipe) -> float:
    """0 over the easy steps, then rising evenly to 1 at the hard ones.

    Words are looked up over short distances first: begun at full length, the same steps learn no looking up.

    Example:
        >>> recipe = BaseRecipe(easy_steps=100, hard_steps=300)
        >>> [hardness_at(step, recipe) for step in (0, 100, 200, 300, 400)]
        [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    rise = max(1, recipe.hard_steps - recipe.easy_steps)
    return min(1.0, max(0.0, (step - recipe.easy_steps) / rise))


def mixture_at(step: int, recipe: BaseRecipe) -> str:
    """What comes up how often at a step (`rows.MIXTURES`): passages first, then what learns slowly.

    Example:
        >>> [mixture_at(step, BaseRecipe(late_steps=10)) for step in (9, 10)]
        ['early', 'late']
    """
    return "late" if step >= recipe.late_steps else "early"


def learning_rate(step: int, recipe: BaseRecipe) -> float:
    """Linear warm-up, a level stretch, and a linear cool-down to nothing over the last steps.

    The level stretch lets a training that was paused there go on to more steps than were first asked for, as if
    they had been asked for from the start.

    Example:
        >>> recipe = BaseRecipe(steps=1000, warmup_steps=100, cooldown_steps=200)
        >>> [learning_rate(step, recipe) / recipe.peak_rate for step in (0, 99, 800, 900, 1000)]
        [0.01, 1.0, 1.0, 0.5, 0.0]
    """
    if step < recipe.warmup_steps:
        return recipe.peak_rate * (step + 1) / recipe.warmup_steps
    return recipe.peak_rate * min(1.0, (recipe.steps - step) / recipe.cooldown_steps)


def new_optimizer(model: Any, recipe: BaseRecipe) -> Any:
    """AdamW over all weights."""
    import torch

    return torch.optim.AdamW(
        model.parameters(), lr=recipe.peak_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
    )
