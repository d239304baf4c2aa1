"""Prompts read into keys and values: several own parts in one packed row, after a beginning read once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.engine.forward import accepts
from harness.engine.text_blocks import Held
from harness.engine.visible_tokens import additive, attention_windows, handed_over, within

if TYPE_CHECKING:
    import torch


class PackedCache:
    """What a model is given as its cache while it reads one packed row: it hands back what stands before."""

    is_compileable = False

    def __init__(self, before: Held) -> None:
        self.before = before
        self.layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer_idx: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Takes a layer's new keys and values, and returns all that the row may attend to."""
        import torch

        self.layers[layer_idx] = (keys, values)
        if not self.before.n_tokens:
            return keys, values
        held_keys, held_values = self.before.layers[layer_idx]
        return torch.cat([held_keys, keys], dim=2), torch.cat([held_values, values], dim=2)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens held before this row."""
        return self.before.n_tokens


def read(model: Any, tokens: Sequence[int], *, before: Held, at_once: int) -> Held:
    """Keys and values of tokens after `before`, at most `at_once` in one pass."""
    held = Held()
    for start in range(0, len(tokens), at_once):
        known = before.then(held) if held.n_tokens else before
        part, _ = _packed_pass(model, [tokens[start : start + at_once]], known)
        held = held.then(part[0])
    return held


def read_prompts(
    model: Any, parts: Sequence[Sequence[int]], *, before: Held, at_once: int
) -> tuple[list[Held], torch.Tensor]:
    """Keys and values of each part, read on its own after `before`, and the logits of its next token.

    Args:
        model: In evaluation mode.
        parts: Token ids, none empty; more than one only if they fit in one pass.
        before: What all of them follow.
        at_once: Tokens in one pass.

    Returns:
        Per part its keys and values, and logits of shape (parts, vocabulary).
    """
    if len(parts) > 1 or len(parts[0]) <= at_once:
        return _packed_pass(model, parts, before)
    split = (len(parts[0]) - 1) // at_once * at_once
    first = read(model, parts[0][:split], before=before, at_once=at_once)
    [last], logits = _packed_pass(model, [parts[0][split:]], before.then(first))
    return [first.then(last)], logits


def _packed_pass(model: Any, parts: Sequence[Sequence[int]], before: Held) -> tuple[list[Held], torch.Tensor]:
    import torch

    device = model.device
    lengths = [len(part) for part in parts]
    ids = torch.tensor([[token for part in parts for token in part]], device=device)
    owner = torch.tensor(
        [index for index, length in enumerate(lengths) for _ in range(length)], device=device
    )
    places = torch.tensor([place for length in lengths for place in range(length)], device=device)
    positions = places + before.n_tokens
    windows = attention_windows(model)
    assert windows is not None
    distance = torch.cat(
        [
            positions[:, None] - torch.arange(before.n_tokens, device=device)[None, :],
            # Tokens of another part are never seen: they are as if they came later.
            torch.where(owner[:, None] == owner[None, :], positions[:, None] - positions[None, :], -1),
        ],
        dim=1,
    )
    masks = {
        kind: additive(within(distance, window), model.dtype)[None, None] for kind, window in windows.items()
    }
    cache = PackedCache(before)
    ends = torch.tensor(lengths, device=device).cumsum(dim=0)
    chosen = {"logits_to_keep": ends - 1} if accepts(model, "logits_to_keep") else {}
    logits = model(
        input_ids=ids,
        position_ids=positions[None],
        attention_mask=handed_over(masks),
        past_key_values=cache,
        use_cache=True,
        **chosen,
    ).logits[0]
    whole = Held(len(positions), cache.layers)
    stops = ends.tolist()
    held = [whole.part(stop - length, stop) for stop, length in zip(stops, lengths, strict=True)]
    return held, (logits if chosen else logits[ends - 1])
