"""One pass of a model over padded rows, the vocabulary projected only where it is looked at."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_PROJECTED = 1 << 27  # logits held at once: half a gigabyte in fp32
_PROBE_TOKENS = 12


def inner_model(model: Any) -> Any:
    """The Transformers model inside a PEFT model, its adapter layers included."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def has_prompt_learning(model: Any) -> bool:
    """Whether a PEFT adapter puts tokens of its own before the input (prompt, prefix and P-tuning)."""
    return bool(getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False))


def accepts(model: Any, name: str) -> bool:
    """Whether the model's forward takes an argument of that name."""
    return name in inspect.signature(inner_model(model).forward).parameters


def has_head_apart(model: Any) -> bool:
    """Whether body and output embedding, called one after the other, give exactly the model's logits.

    Models that scale or cap their logits, or whose adapter acts outside the body, do not: they are called
    whole. Found out by trying, on a few tokens.
    """
    import torch

    inner = inner_model(model)
    head = inner.get_output_embeddings() if hasattr(inner, "get_output_embeddings") else None
    if head is None or inner.base_model is inner:
        return False
    top = int(head.weight.shape[0]) if hasattr(head, "weight") else 1
    ids = torch.arange(_PROBE_TOKENS, device=model.device).mul(7919).remainder(max(1, top)).unsqueeze(0)
    with torch.inference_mode():
        whole = model(input_ids=ids).logits
        apart = head(_hidden(inner, ids))
    return whole.shape == apart.shape and bool(torch.equal(whole, apart))


def scored_logits(
    model: Any, ids: torch.Tensor, places: torch.Tensor, *, head_apart: bool
) -> Iterator[tuple[int, torch.Tensor]]:
    """Logits at the flat positions `places`, in blocks that fit the memory: (index of the first, logits).

    Args:
        model: In evaluation mode.
        ids: (rows, width) token ids, padded on the right.
        places: (n,) positions in the flattened `ids`, ascending.
        head_apart: Whether `has_head_apart`.

    Returns:
        Blocks of (m, vocabulary) logits in the model's number format.
    """
    if not head_apart:
        logits = model(input_ids=ids).logits[:, -ids.shape[1] :]  # without an adapter's virtual tokens
        yield 0, logits.reshape(-1, logits.shape[-1])[places]
        return
    inner = inner_model(model)
    head = inner.get_output_embeddings()
    hidden = _hidden(inner, ids)
    chosen = hidden.reshape(-1, hidden.shape[-1])[places]
    block = max(1, _PROJECTED // int(head.weight.shape[0]))
    for start in range(0, len(chosen), block):
        yield start, head(chosen[start : start + block])


def _hidden(inner: Any, ids: torch.Tensor) -> torch.Tensor:
    """The body's last states; no key-value cache is built, since nothing would read it."""
    body = inner.base_model
    cacheless = {"use_cache": False} if "use_cache" in inspect.signature(body.forward).parameters else {}
    hidden: torch.Tensor = body(input_ids=ids, **cacheless)[0]
    return hidden
