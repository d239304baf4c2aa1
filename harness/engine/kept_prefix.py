"""The keys and values of the tokens that the inputs at hand share, in buffers that are never copied to grow by a pass.

Imports torch and Transformers: import it inside functions only.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

_STEP = 256  # capacities are multiples of it


class KeptPrefix(Cache):
    """A Transformers cache that holds one path of tokens and lends it to every row of a pass.

    Row 0 of each layer's buffer holds the kept path. A pass writes its keys and values behind it; they are kept
    by `keep`, or written over by the next pass. For a pass of several rows the path is copied into the other
    rows once and stays there while it does not change.

    Args:
        n_layers: Layers of the model.
    """

    def __init__(self, n_layers: int) -> None:
        super().__init__(layers=[KeptLayer(self) for _ in range(n_layers)])
        self.depth = 0
        self.rows = 1
        self.width = 0
        self.copied = (0, 0)  # tokens [from, to) of the path that rows 1.. of this pass lack
        self._spread: list[int] = []  # per row after the first: how many tokens of the path it holds

    def begin(self, rows: int, width: int) -> None:
        """Makes ready for a pass of `rows` rows of `width` tokens behind the kept path."""
        self.rows, self.width = rows, width
        others = rows - 1
        self._spread += [0] * (others - len(self._spread))
        held = min(self._spread[:others], default=self.depth)
        self.copied = (held, self.depth)
        self._spread[:others] = [self.depth] * others

    def cut(self, depth: int) -> None:
        """Lets go of what is kept behind the first `depth` tokens."""
        self.depth = min(self.depth, depth)
        self._spread = [min(held, self.depth) for held in self._spread]

    def keep(self) -> None:
        """Keeps what the pass of one row wrote."""
        self.depth += self.width

    def forget_copies(self) -> None:
        """A pass broke off, so that some layers may lack the path in the rows after the first."""
        self._spread = []

    def release(self) -> None:
        """Frees the buffers."""
        self.depth = 0
        self._spread = []
        for layer in self.layers:
            layer.keys = layer.values = None


class KeptLayer(CacheLayerMixin):
    """One layer's buffers, (rows, heads, capacity, head size); keys and values may differ in head size."""

    is_sliding = False

    def __init__(self, kept: KeptPrefix) -> None:
        super().__init__()
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None
        self._kept = kept

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Buffers are made by `update`, whose size they must hold."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes behind the kept path; returns views of the path and what was written."""
        keys = self._written(self.keys, key_states)
        values = self._written(self.values, value_states)
        self.keys, self.values = keys, values
        self.is_initialized = True
        rows, stop = self._kept.rows, self._kept.depth + self._kept.width
        return keys[:rows, :, :stop], values[:rows, :, :stop]

    def _written(self, buffer: torch.Tensor | None, states: torch.Tensor) -> torch.Tensor:
        kept = self._kept
        stop = kept.depth + states.shape[-2]
        start, end = kept.copied
        if buffer is None or buffer.shape[0] < kept.rows or buffer.shape[2] < stop:
            buffer = _grown(buffer, states, rows=kept.rows, columns=stop, depth=kept.depth)
            start = 0
        if kept.rows > 1 and start < end:
            buffer[1 : kept.rows, :, start:end] = buffer[:1, :, start:end]
        buffer[: kept.rows, :, kept.depth : stop] = states
        return buffer

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of the keys, as Transformers asks for them."""
        return self._kept.depth + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens kept."""
        return self._kept.depth

    def get_max_length(self) -> int:
        """No limit."""
        return -1


def _grown(
    buffer: torch.Tensor | None, states: torch.Tensor, *, rows: int, columns: int, depth: int
) -> torch.Tensor:
    """A buffer of at least `rows` rows and `columns` columns that holds what the present one keeps."""
    if buffer is not None:
        rows = max(rows, buffer.shape[0])
        columns = max(columns, buffer.shape[2])
    columns = -(-columns // _STEP) * _STEP
    grown = states.new_empty((rows, states.shape[1], columns, states.shape[3]))
    if buffer is not None and depth:
        grown[: buffer.shape[0], :, :depth] = buffer[:, :, :depth]
    return grown
