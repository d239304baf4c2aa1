"""One token drawn from logits by one uniform number, keyed so that it does not depend on the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.exchange import GenerationSettings
from harness.core.rng import rng_for

if TYPE_CHECKING:
    import torch


def drawn_token(
    logits: torch.Tensor, settings: GenerationSettings, *, request_id: str, sample: int, step: int
) -> int:
    """The next token: the likeliest at temperature 0, else drawn from the nucleus `top_p`.

    The draw is named by (seed, request, sample, step), so neighbours and batch shape do not change it.

    Args:
        logits: (vocabulary,) finite fp32.
        settings: Temperature, top_p and seed.
        request_id: Whose.
        sample: Which of its samples, from 0.
        step: Which token, from 0.
    """
    import torch

    if settings.temperature <= 0:
        return int(logits.argmax())
    shares, tokens = torch.sort(
        torch.softmax(logits.cpu().double() / settings.temperature, dim=-1), descending=True, stable=True
    )
    reached = shares.cumsum(dim=-1)
    # The nucleus: the fewest likeliest tokens whose shares reach top_p.
    n_kept = min(len(shares), int((reached < settings.top_p).sum()) + 1)
    uniform = rng_for(settings.seed, "sampling", request_id, sample, step).random()
    target = uniform * float(reached[n_kept - 1])
    place = min(int((reached[:n_kept] <= target).sum()), n_kept - 1)
    return int(tokens[place])
