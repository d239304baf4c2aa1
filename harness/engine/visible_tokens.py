"""Which tokens each token attends to: masks per kind of attention that the model's layers have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.engine.attention_masks import mask_kinds
from harness.engine.forward import inner_model

if TYPE_CHECKING:
    from typing import TypeAlias

    import torch

    Masks: TypeAlias = torch.Tensor | dict[str, torch.Tensor]

_ONLY = "only"


def attention_windows(model: Any) -> dict[str, int | None] | None:
    """Per kind of attention, how many tokens back it sees; None if the model has kinds that are not known."""
    kinds = mask_kinds(inner_model(model).config.get_text_config())
    if kinds is None:
        return None
    return dict(zip(kinds.names or (_ONLY,), kinds.windows, strict=True))


def handed_over(masks: Mapping[str, torch.Tensor]) -> Masks:
    """Masks as the model takes them: one where all layers are alike, else one per kind."""
    return next(iter(masks.values())) if len(masks) == 1 else dict(masks)


def within(distance: torch.Tensor, window: int | None) -> torch.Tensor:
    """Whether tokens that far back are seen: none that come later, none beyond the window."""
    seen = distance >= 0
    return seen if window is None else seen & (distance < window)


def additive(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """0 where seen, else the least number: every kernel takes such a mask."""
    import torch

    zero = torch.zeros((), dtype=dtype, device=seen.device)
    return torch.where(seen, zero, torch.finfo(dtype).min)
