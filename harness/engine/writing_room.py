"""How much may be written at once: rows, tokens held for them, and tokens read in one pass."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.engine.forward import inner_model
from harness.engine.memory import Budget

if TYPE_CHECKING:
    import torch

_SHARE_OF_MEMORY = {"cpu": 1 / 8, "cuda": 0.4, "mps": 1 / 8}
_MOST_BYTES_CPU = 2 << 30
_ROWS = {"cpu": 64, "cuda": 256, "mps": 64}
_READ = {"cpu": 1024, "cuda": 4096, "mps": 2048}  # a mask has about the square of that
_BLOCK_ROWS = {"cpu": 16, "cuda": 256, "mps": 64}
_LEAST_READ = 64


@dataclass(slots=True)
class WritingRoom:
    """Bounds of what is written at once; they shrink for good where memory runs out.

    Args:
        budget: Of the backend; its halvings are counted there.
        max_rows: Texts at once.
        block_rows: Texts in a block: few, so that a block holds texts of about one length.
        most_tokens: Tokens held at once, if the budget does not bound them.
        most_read: Tokens read in one pass at most.
        least_at_once: A pass is not made smaller than this where memory runs out.
    """

    budget: Budget
    max_rows: int
    block_rows: int
    most_tokens: int | None
    most_read: int
    least_at_once: int = 16

    @classmethod
    def of(cls, model: Any, budget: Budget, *, is_given: bool) -> WritingRoom:
        """The room on the model's device.

        Args:
            model: Who writes.
            budget: Of the backend.
            is_given: Whether a user chose the budget, which then bounds the tokens held, too.
        """
        kind = model.device.type if model.device.type in _ROWS else "cpu"
        most = None if is_given else _memory(model.device) // _bytes_per_token(model)
        return cls(
            budget,
            max(1, _ROWS[kind] >> budget.halvings),
            _BLOCK_ROWS[kind],
            None if most is None else max(1, most >> budget.halvings),
            _READ[kind],
        )

    @property
    def tokens(self) -> int:
        """Tokens that may be held for texts being written."""
        return self.budget.tokens if self.most_tokens is None else max(self.budget.tokens, self.most_tokens)

    @property
    def at_once(self) -> int:
        """Tokens read in one pass."""
        return min(max(_LEAST_READ, self.budget.tokens), self.most_read)

    @property
    def worth_beginning(self) -> int:
        """Free rows for which waiting prompts are read: a pass over few tokens costs as much as over many."""
        return max(1, self.max_rows // 8)

    @property
    def max_blocks(self) -> int:
        """Blocks beyond which small ones are joined: each is attended to on its own."""
        return 2 + self.max_rows // self.block_rows

    def shrink(self, tried: int, *, n_rows: int) -> None:
        """Takes note that so many tokens in so many rows did not fit."""
        self.budget.halve(tried)
        self.max_rows = max(1, min(self.max_rows, n_rows) // 2)
        if self.most_tokens is not None:
            self.most_tokens = max(1, min(self.most_tokens, tried) // 2)


def _memory(device: torch.device) -> int:
    """Bytes that texts being written may take."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] * _SHARE_OF_MEMORY["cuda"])
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(min(_MOST_BYTES_CPU, whole * _SHARE_OF_MEMORY["cpu"]))


def _bytes_per_token(model: Any) -> int:
    """Bytes of one token's keys and values."""
    config = inner_model(model).config.get_text_config()
    n_heads = int(getattr(config, "num_attention_heads", 1) or 1)
    size = int(getattr(config, "head_dim", None) or int(config.hidden_size) // n_heads)
    n_key_heads = int(getattr(config, "num_key_value_heads", None) or n_heads)
    width: int = model.dtype.itemsize
    return 2 * int(config.num_hidden_layers) * n_key_heads * size * width
