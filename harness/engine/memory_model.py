"""What a scoring pass takes of the memory, and how many tokens the device bears."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

HEADROOM = 0.5  # share of the free memory that passes may plan with
_MEMINFO = Path("/proc/meminfo")
_UNKNOWN_FREE = 2 << 30  # where the system does not say


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """Bytes that passes take beyond the loaded model.

    Args:
        free: Bytes that may be used, headroom already taken off.
        token: Of a token's activations inside one layer; no more than one layer's are alive at a time.
        kept: Of the keys and values of one token in one row, over all layers.
        cell: Of one pair of a query and a key: masks, and the scores where attention is not fused.
    """

    free: int
    token: int
    kept: int
    cell: int

    def of_pass(self, *, n_rows: int, width: int, depth: int) -> int:
        """Bytes of a pass of `n_rows` rows of `width` tokens after `depth` kept ones.

        Example:
            >>> MemoryModel(free=0, token=10, kept=3, cell=1).of_pass(n_rows=2, width=4, depth=6)
            220
        """
        return n_rows * (
            width * self.token + (depth + width) * self.kept + width * (depth + width) * self.cell
        )

    def most_pass_tokens(self, *, row_tokens: int, depth: int) -> int:
        """Tokens of the largest pass of such rows that fits; at least one row's.

        Example:
            >>> MemoryModel(free=1000, token=10, kept=3, cell=1).most_pass_tokens(row_tokens=4, depth=6)
            36
        """
        one = self.of_pass(n_rows=1, width=row_tokens, depth=depth)
        return row_tokens * max(1, self.free // one)

    def most_row_tokens(self, *, depth: int, at_most: int) -> int:
        """Tokens of the widest single row that fits, found by halving `at_most`; at least one."""
        width = at_most
        while width > 1 and self.of_pass(n_rows=1, width=width, depth=depth) > self.free:
            width //= 2
        return width


def memory_model(model: Any, device: torch.device) -> MemoryModel:
    """The memory model of a loaded model on its device, by the shapes in its config."""
    config = model.config.get_text_config()
    itemsize = model.dtype.itemsize
    hidden = int(config.hidden_size)
    inner = int(getattr(config, "intermediate_size", None) or 4 * hidden)
    heads = int(getattr(config, "num_attention_heads", 1) or 1)
    kv_heads = int(getattr(config, "num_key_value_heads", None) or heads)
    head_size = int(getattr(config, "head_dim", None) or hidden // heads)
    attention = getattr(model.config, "_attn_implementation", None)
    scores = 0 if attention == "sdpa" else heads * (2 * itemsize + 4)
    repeated = 2 * heads * head_size if kv_heads < heads else 0  # keys and values repeated for every head
    return MemoryModel(
        free=int(free_bytes(device) * HEADROOM),
        token=itemsize * (8 * hidden + 3 * inner + 4 * heads * head_size + repeated),
        kept=itemsize * 2 * kv_heads * head_size * int(config.num_hidden_layers),
        cell=2 * itemsize + 2 + scores,
    )


def free_bytes(device: torch.device) -> int:
    """Memory that the device can still give."""
    if device.type == "cuda":
        import torch

        free: int = torch.cuda.mem_get_info(device)[0]
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return available_bytes(_MEMINFO)


def available_bytes(meminfo: Path) -> int:
    """What Linux reckons can be had without swapping; a modest guess on other systems."""
    if not meminfo.is_file():
        return _UNKNOWN_FREE
    for line in meminfo.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _UNKNOWN_FREE
