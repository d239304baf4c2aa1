"""Which attention masks a model must be handed so that packed rows score as if each input stood alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

FULL, SLIDING = "full_attention", "sliding_attention"


@dataclass(frozen=True, slots=True)
class MaskKinds:
    """The masks of a model's layers.

    Args:
        windows: Per mask, how many positions back a token sees, itself included; None: all.
        names: The layers' attention types, one per mask, where the model takes a dictionary of masks;
            None: the model takes one mask.
    """

    windows: tuple[int | None, ...] = (None,)
    names: tuple[str, ...] | None = None


def mask_kinds(config: Any) -> MaskKinds | None:
    """The masks that a config asks for; None where its layers attend in a way that packing cannot keep.

    Example:
        >>> from types import SimpleNamespace
        >>> mask_kinds(SimpleNamespace(sliding_window=8))
        MaskKinds(windows=(8,), names=None)
        >>> two = SimpleNamespace(sliding_window=8, layer_types=["full_attention", "sliding_attention"])
        >>> mask_kinds(two).names
        ('full_attention', 'sliding_attention')
        >>> mask_kinds(SimpleNamespace(layer_types=["linear_attention"])) is None
        True
    """
    window = getattr(config, "sliding_window", None)
    if getattr(config, "use_sliding_window", True) is False:
        window = None
    types = getattr(config, "layer_types", None)
    if types is None:
        return MaskKinds((window,))
    names = tuple(sorted(set(types)))
    if not set(names) <= {FULL, SLIDING} or (SLIDING in names and window is None):
        return None
    if len(names) == 1:
        return MaskKinds((window if names == (SLIDING,) else None,))
    return MaskKinds(tuple(window if name == SLIDING else None for name in names), names)


def tree_masks(
    kinds: MaskKinds, *, ends: torch.Tensor, positions: torch.Tensor, depth: int, dtype: torch.dtype
) -> torch.Tensor | dict[str, torch.Tensor]:
    """The additive masks of a pass, (rows, 1, width, depth + width) each.

    Args:
        kinds: Of the model.
        ends: (rows, width), see `packed_rows.PackedRows`.
        positions: (rows, width) of every node in its input; a window counts these, not places in the row.
        depth: Tokens kept before every row, at positions 0 to depth - 1.
        dtype: Of the model's activations.
    """
    import torch

    width = ends.shape[1]
    nodes = torch.arange(width, device=ends.device)
    foreign = (nodes[:, None] < nodes) | (nodes[:, None] >= ends[:, None, :])  # (rows, width, width)
    kept = torch.arange(depth, device=ends.device)
    masks = []
    lowest = torch.finfo(dtype).min
    for window in kinds.windows:
        mask = torch.zeros((ends.shape[0], 1, width, depth + width), dtype=dtype, device=ends.device)
        own, before = foreign, None
        if window is not None:
            own = foreign | (positions[:, :, None] - positions[:, None, :] >= window)
            before = positions[:, :, None] - kept >= window
        mask[:, 0, :, depth:].masked_fill_(own, lowest)
        if before is not None:
            mask[:, 0, :, :depth].masked_fill_(before, lowest)
        masks.append(mask)
    return masks[0] if kinds.names is None else dict(zip(kinds.names, masks, strict=True))
