"""One step of writing: the next token's logits of every row of every block, in one pass of the model.

Rows are of unlike lengths and stand in several blocks; what a block's rows share is attended to once for
all of them, by one product of matrices, so it is neither held nor read per row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from harness.core.errors import CheckpointError
from harness.engine.forward import accepts, inner_model
from harness.engine.text_blocks import Block
from harness.engine.visible_tokens import additive, attention_windows, handed_over, within

if TYPE_CHECKING:
    import torch

Attention = Literal["own", "model"]
_NAME = "harness_text_blocks"


class BlocksCache:
    """What a model is given as its cache in one step: writes the newest tokens into the blocks.

    Args:
        blocks: With room for one more token in every row.
        attention: `own`: the model calls `attend` here, which reads the blocks; `model`: one block, whose keys
            and values are handed to the model's own attention.
    """

    is_compileable = False

    def __init__(self, blocks: Sequence[Block], attention: Attention, device: torch.device) -> None:
        import torch

        self.blocks = blocks
        self.attention = attention
        self.masks: dict[str, list[torch.Tensor]] = {}
        self.kind_of: dict[int, str] = {}
        self._rows = [torch.arange(len(block.rows), device=device) for block in blocks]
        self._columns = [torch.tensor(block.lengths, device=device) for block in blocks]
        self._newest: tuple[int, torch.Tensor | None] = (0, None)

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer_idx: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes a layer's keys and values of the newest tokens, (rows, heads, 1, size)."""
        start = 0
        for block, rows, columns in zip(self.blocks, self._rows, self._columns, strict=True):
            stop = start + len(block.rows)
            held_keys, held_values = block.layers[layer_idx]
            held_keys[rows, :, columns] = keys[start:stop, :, 0]
            held_values[rows, :, columns] = values[start:stop, :, 0]
            start = stop
        if self.attention == "own":
            self._newest = layer_idx, keys
            return keys, values
        [block] = self.blocks
        held_keys, held_values = block.layers[layer_idx]
        n_rows = len(block.rows)
        return held_keys[:n_rows, :, : block.width], held_values[:n_rows, :, : block.width]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens that the longest row holds."""
        return max(block.before.n_tokens + max(block.lengths) for block in self.blocks)

    def attend(
        self,
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        *,
        scaling: float | None = None,
        softcap: float | None = None,
        s_aux: torch.Tensor | None = None,
        position_bias: torch.Tensor | None = None,
        **_: object,
    ) -> tuple[torch.Tensor, None]:
        """Attention of one query per row to its block's beginning and its own tokens, as Transformers calls it."""
        import torch

        layer, newest = self._newest
        if key is not newest or attention_mask is None or position_bias is not None:
            raise CheckpointError(f"{type(module).__name__} changes its keys after its cache has taken them.")
        masks = self._masks_meant(attention_mask)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        outputs, start = [], 0
        for block, mask in zip(self.blocks, masks, strict=True):
            stop = start + len(block.rows)
            outputs.append(_attended(query[start:stop, :, 0] * scale, block, layer, mask, softcap, s_aux))
            start = stop
        return torch.cat(outputs)[:, None], None

    def _masks_meant(self, handed: torch.Tensor) -> list[torch.Tensor]:
        if len(self.masks) == 1:
            return next(iter(self.masks.values()))
        return self.masks[self.kind_of[handed.data_ptr()]]


def _attended(
    query: torch.Tensor,
    block: Block,
    layer: int,
    mask: torch.Tensor,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> torch.Tensor:
    """Attention of one block's rows: query (rows, heads, size) to output (rows, heads, value size)."""
    import torch

    n_rows, width = len(block.rows), block.width
    keys, values = (held[:n_rows, :, :width] for held in block.layers[layer])
    n_heads = keys.shape[1]
    grouped = query.reshape(n_rows, n_heads, -1, query.shape[-1])
    scores = grouped @ keys.transpose(-1, -2)  # (rows, key heads, queries per key head, width)
    if block.before.n_tokens:
        shared_keys, shared_values = block.before.layers[layer]
        scores = torch.cat([_times_shared(grouped, shared_keys[0].transpose(-1, -2)), scores], dim=-1)
    scores = scores.float()
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    scores = scores + mask.to(scores.device)
    if sinks is not None:
        column = sinks.float().reshape(1, n_heads, -1, 1).expand(n_rows, -1, -1, -1)
        scores = torch.cat([scores, column], dim=-1)
    shares = scores.softmax(dim=-1).to(values.dtype)
    n_shared = block.before.n_tokens
    output = shares[..., n_shared : n_shared + width] @ values
    if n_shared:
        output = output + _times_shared(shares[..., :n_shared], shared_values[0])
    return output.reshape(n_rows, query.shape[1], -1)


def _times_shared(rows: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
    """(rows, heads, queries, n) times (heads, n, m) held once: all rows of a head in one product."""
    n_rows, n_heads, n_queries, _ = rows.shape
    flat = rows.transpose(0, 1).reshape(n_heads, n_rows * n_queries, -1)
    return (flat @ shared).view(n_heads, n_rows, n_queries, -1).transpose(0, 1)


def next_logits(model: Any, blocks: Sequence[Block], *, attention: Attention) -> torch.Tensor:
    """Logits of the token after the newest one of every row, blocks in order; it is then held, too.

    Returns:
        (rows, vocabulary) in the model's number format.
    """
    import torch

    for block in blocks:
        block.make_room()
    device = model.device
    cache = BlocksCache(blocks, attention, device)
    ids = [[writing.tokens[-1]] for block in blocks for writing in block.rows]
    positions = [[block.before.n_tokens + length] for block in blocks for length in block.lengths]
    windows = attention_windows(model)
    assert windows is not None
    masks: dict[str, torch.Tensor] = {}
    for kind, window in windows.items():
        cache.masks[kind] = [_mask(block, window, model.dtype, device) for block in blocks]
        # With its own attention the model only hands on which mask is meant.
        masks[kind] = cache.masks[kind][0] if attention == "model" else torch.zeros(1, 1, 1, 1, device=device)
        cache.kind_of[masks[kind].data_ptr()] = kind
    keeps_last = {"logits_to_keep": 1} if accepts(model, "logits_to_keep") else {}
    with _attending(model, cache):
        logits: torch.Tensor = model(
            input_ids=torch.tensor(ids, device=device),
            position_ids=torch.tensor(positions, device=device),
            attention_mask=handed_over(masks),
            past_key_values=cache,
            use_cache=True,
            **keeps_last,
        ).logits[:, -1]
    for block in blocks:
        block.lengths = [length + 1 for length in block.lengths]
    return logits


def _mask(block: Block, window: int | None, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """(rows, 1, 1, beginning + columns): what the newest token of each row sees."""
    import torch

    places = torch.arange(block.before.n_tokens + block.width, device=device)
    newest = torch.tensor(block.lengths, device=device) + block.before.n_tokens
    return additive(within(newest[:, None] - places[None, :], window), dtype)[:, None, None]


@contextmanager
def _attending(model: Any, cache: BlocksCache) -> Iterator[None]:
    """The model's layers call the cache's attention instead of their own, until this is left."""
    if cache.attention == "model":
        yield
        return
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    config = inner_model(model).config
    usual = config._attn_implementation
    ALL_ATTENTION_FUNCTIONS.register(_NAME, cache.attend)
    config._attn_implementation = _NAME
    try:
        yield
    finally:
        config._attn_implementation = usual
        ALL_ATTENTION_FUNCTIONS.register(_NAME, _out_of_place)


def _out_of_place(*_: object, **__: object) -> tuple[torch.Tensor, None]:
    raise CheckpointError("The attention of text blocks was called outside a step of writing.")
