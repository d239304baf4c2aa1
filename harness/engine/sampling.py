"""Tokens drawn from logits by one uniform number each, keyed so that they do not depend on the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.exchange import GenerationSettings
from harness.core.rng import rng_for

if TYPE_CHECKING:
    import torch

_SHARES_AT_ONCE = 1 << 21  # 16 MiB
_LIKELIEST = 128  # looked at first: sorting a whole vocabulary takes far longer


@dataclass(frozen=True, slots=True)
class Draw:
    """One token to be drawn, named by (seed, request, sample, step): neighbours and batch shape do not change it.

    Args:
        settings: Temperature above 0, top_p and seed.
        request_id: Whose.
        sample: Which of its samples, from 0.
        step: Which token, from 0.
    """

    settings: GenerationSettings
    request_id: str
    sample: int
    step: int

    @property
    def uniform(self) -> float:
        """The number in [0, 1) that decides."""
        return rng_for(self.settings.seed, "sampling", self.request_id, self.sample, self.step).random()


def drawn_token(
    logits: torch.Tensor, settings: GenerationSettings, *, request_id: str, sample: int, step: int
) -> int:
    """The next token of one text: the likeliest at temperature 0, else drawn from the nucleus `top_p`.

    Args:
        logits: (vocabulary,) finite fp32.
        settings: Temperature, top_p and seed.
        request_id: Whose.
        sample: Which of its samples, from 0.
        step: Which token, from 0.
    """
    if settings.temperature <= 0:
        return int(logits.argmax())
    return drawn_tokens(logits[None], [Draw(settings, request_id, sample, step)])[0]


def drawn_tokens(logits: torch.Tensor, draws: Sequence[Draw]) -> list[int]:
    """The next token of every text, from its nucleus: the fewest likeliest tokens whose shares reach top_p.

    Args:
        logits: (rows, vocabulary) finite.
        draws: One per row.
    """
    rows_at_once = max(1, _SHARES_AT_ONCE // logits.shape[-1])
    return [
        token
        for start in range(0, len(draws), rows_at_once)
        for token in _drawn(logits[start : start + rows_at_once], draws[start : start + rows_at_once])
    ]


def _drawn(logits: torch.Tensor, draws: Sequence[Draw]) -> list[int]:
    import torch

    wide = logits.double() if logits.device.type != "mps" else logits.cpu().double()
    temperatures = torch.tensor([draw.settings.temperature for draw in draws], dtype=wide.dtype)
    shares = torch.softmax(wide / temperatures.to(wide.device)[:, None], dim=-1)
    n_likeliest = min(_LIKELIEST, shares.shape[-1])
    top = shares.topk(n_likeliest, dim=-1)
    top_shares, top_tokens = top.values.cpu(), top.indices.cpu()
    tokens = []
    for row, draw in enumerate(draws):
        token = None
        if n_likeliest < shares.shape[-1]:
            token = _from_likeliest(top_shares[row], top_tokens[row], draw)
        tokens.append(_from_all(shares[row].cpu(), draw) if token is None else token)
    return tokens


def _from_likeliest(shares: torch.Tensor, tokens: torch.Tensor, draw: Draw) -> int | None:
    """The token, if the likeliest ones alone decide it; equal shares stand in the order of their tokens."""
    import torch

    # Which of several equal shares came last into the list is not told, so those are left out.
    sure = int((shares > shares[-1]).sum())
    if not sure:
        return None
    by_token = tokens[:sure].argsort(stable=True)
    by_share = shares[:sure][by_token].sort(descending=True, stable=True)
    reached = by_share.values.cumsum(dim=-1)
    if float(reached[-1]) >= draw.settings.top_p:
        return int(tokens[:sure][by_token][by_share.indices[_place(reached, draw)]])
    if draw.settings.top_p < 1:
        return None
    place = int(torch.searchsorted(reached, draw.uniform, right=True))
    return None if place == sure else int(tokens[:sure][by_token][by_share.indices[place]])


def _from_all(shares: torch.Tensor, draw: Draw) -> int:
    import torch

    by_share, tokens = torch.sort(shares, descending=True, stable=True)
    return int(tokens[_place(by_share.cumsum(dim=-1), draw)])


def _place(reached: torch.Tensor, draw: Draw) -> int:
    """Which of the tokens, sorted by share, the uniform number falls on."""
    n_kept = min(len(reached), int((reached < draw.settings.top_p).sum()) + 1)
    target = draw.uniform * float(reached[n_kept - 1])
    return min(int((reached[:n_kept] <= target).sum()), n_kept - 1)
