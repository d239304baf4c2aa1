"""One pass of a model over token ids, the vocabulary projected only where it is looked at."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Integers = npt.NDArray[np.int64]

_PROJECTED = {"cpu": 1 << 22, "cuda": 1 << 27}  # logits held at once: on a CPU, what its cache may hold
_PROBE_TOKENS = 12


def inner_model(model: Any) -> Any:
    """The Transformers model inside a PEFT model, its adapter layers included."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def has_prompt_learning(model: Any) -> bool:
    """Whether a PEFT adapter puts tokens of its own before the input (prompt, prefix and P-tuning)."""
    return bool(getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False))


def accepts(model: Any, name: str) -> bool:
    """Whether the model's forward takes an argument of that name."""
    kind: Any = type(inner_model(model))
    return name in _arguments(kind)


def body_accepts(model: Any, name: str) -> bool:
    """Whether the forward of the model without its head takes an argument of that name."""
    kind: Any = type(inner_model(model).base_model)
    return name in _arguments(kind)


@lru_cache(maxsize=64)
def _arguments(kind: Any) -> frozenset[str]:
    return frozenset(inspect.signature(kind.forward).parameters)


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
        whole = model(input_ids=ids, **_cacheless(inner)).logits
        apart = head(_hidden(inner, {"input_ids": ids}))
    return whole.shape == apart.shape and bool(torch.equal(whole, apart))


def scored_logits(
    model: Any, inputs: Mapping[str, Any], places: Integers, *, head_apart: bool
) -> Iterator[tuple[int, torch.Tensor]]:
    """Logits at the flat positions `places`, in blocks that fit the memory: (index of the first, logits).

    Args:
        model: In evaluation mode.
        inputs: What its forward is given; `input_ids` are (rows, width), padded on the right.
        places: (n,) positions in the flattened `input_ids`, ascending.
        head_apart: Whether `has_head_apart`.

    Returns:
        Blocks of (m, vocabulary) logits in the model's number format.
    """
    if not head_apart:
        yield 0, _whole_logits(model, inputs, places)
        return
    inner = inner_model(model)
    head = inner.get_output_embeddings()
    hidden = _hidden(inner, inputs)
    chosen = hidden.reshape(-1, hidden.shape[-1])[on_device(places, hidden.device)]
    most = _PROJECTED["cuda" if chosen.is_cuda else "cpu"] // int(head.weight.shape[0])
    n_blocks = -(-len(chosen) // max(1, most))
    block = max(1, -(-len(chosen) // max(1, n_blocks)))
    for start in range(0, len(chosen), block):
        yield start, head(chosen[start : start + block])


def _whole_logits(model: Any, inputs: Mapping[str, Any], places: Integers) -> torch.Tensor:
    """From the model called whole: of the columns looked at in any row where it can be told to, else of all."""
    width = inputs["input_ids"].shape[1]
    inputs = {**_cacheless(inner_model(model)), **inputs}
    if not accepts(model, "logits_to_keep") or has_prompt_learning(model):
        logits = model(**inputs).logits[:, -width:]  # without an adapter's virtual tokens
        whole: torch.Tensor = logits.reshape(-1, logits.shape[-1])
        return whole[on_device(places, whole.device)]
    columns, column = np.unique(places % width, return_inverse=True)
    logits = inner_model(model)(
        **inputs, logits_to_keep=on_device(columns, inputs["input_ids"].device)
    ).logits
    flat: torch.Tensor = logits.reshape(-1, logits.shape[-1])
    return flat[on_device(places // width * len(columns) + column, flat.device)]


def _hidden(inner: Any, inputs: Mapping[str, Any]) -> torch.Tensor:
    """The body's last states; no key-value cache is built unless one is given, since nothing would read it."""
    body = inner.base_model
    hidden: torch.Tensor = body(**{**_cacheless(body), **inputs})[0]
    return hidden


def _cacheless(module: Any) -> dict[str, bool]:
    kind: Any = type(module)
    return {"use_cache": False} if "use_cache" in _arguments(kind) else {}


def on_device(values: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """An array as a tensor; to a GPU from pinned memory, so that the copy does not hold up the host."""
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(values))
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def read_tokens(
    model: Any,
    inputs: dict[str, Any],
    places: Integers,
    place: Integers,
    tokens: npt.NDArray[Any],
    *,
    head_apart: bool,
) -> npt.NDArray[np.float32]:
    """(2, n) log-probabilities and hits of picked tokens, in their order; one copy from the device.

    Args:
        model: The model.
        inputs: What its forward is given.
        places: (m,) flat positions looked at, ascending.
        place: (n,) which of them each token is read at.
        tokens: (n,) the tokens.
        head_apart: Whether the head may be applied to chosen positions only.
    """
    import torch

    by_place = np.argsort(place, kind="stable")
    place, tokens = place[by_place], tokens[by_place].astype(np.int64)
    device = inputs["input_ids"].device
    parts = []
    for start, logits in scored_logits(model, inputs, places, head_apart=head_apart):
        inside = slice(*np.searchsorted(place, [start, start + len(logits)]).tolist())
        index, token = on_device(place[inside] - start, device), on_device(tokens[inside], device)
        parts.append(_read_off(logits, index.to(logits.device), token.to(logits.device)))
    found: npt.NDArray[np.float32] = torch.cat(parts, dim=1).cpu().numpy()
    ordered = np.empty_like(found)
    ordered[:, by_place] = found
    return ordered


def _read_off(logits: torch.Tensor, index: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    """Log-probabilities of tokens, computed in fp32, and whether each is the likeliest.

    Args:
        logits: (n_places, vocabulary).
        index: (n,) whose place.
        token: (n,) which token.

    Returns:
        (2, n) fp32: natural logs, and 1 where greedy decoding gives the token, else 0.
    """
    import torch

    wide = logits.float()
    chosen = wide[index, token]
    if wide.is_cuda:
        greedy = wide.argmax(dim=-1)[index] == token
    else:  # the largest value is found many times faster than its place, which only ties ask for
        greedy = chosen == wide.amax(dim=-1)[index]
        hits = greedy.nonzero().squeeze(-1)
        greedy[hits] = wide[index[hits]].argmax(dim=-1) == token[hits]
    logprobs = torch.log_softmax(wide, dim=-1)[index, token]
    return torch.stack((logprobs, greedy.float()))
