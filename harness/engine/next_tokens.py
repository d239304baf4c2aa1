"""From logits to the next token of every text of a batch, with one copy from the device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.engine.sampling import Draw, drawn_tokens
from harness.engine.stop_strings import Endings
from harness.engine.writing import Writing, not_a_number

if TYPE_CHECKING:
    import torch


def take_next(texts: Sequence[Writing], logits: torch.Tensor, endings: Endings) -> None:
    """Appends one token to every text that is not done, and notes which are done with it.

    Args:
        texts: One per row.
        logits: (rows, vocabulary).
        endings: Decides where texts end.
    """
    import torch

    highest, likeliest = logits.max(dim=-1)
    # A NaN is the maximum of its row, so looking at the maxima finds every broken row. Token ids are exact in
    # fp32 up to 16 million.
    tops, tokens = torch.stack([highest.float(), likeliest.float()]).tolist()
    broken = [not math.isfinite(top) for top in tops]
    drawing = [
        row
        for row, writing in enumerate(texts)
        if not writing.is_done and not broken[row] and writing.opening.request.settings.temperature > 0
    ]
    if drawing:
        draws = [
            Draw(
                texts[row].opening.request.settings,
                texts[row].request_id,
                texts[row].sample,
                len(texts[row].tokens),
            )
            for row in drawing
        ]
        index = torch.tensor(drawing, device=logits.device)
        for row, token in zip(drawing, drawn_tokens(logits[index].float(), draws), strict=True):
            tokens[row] = token
    for row, writing in enumerate(texts):
        if writing.is_done:
            continue
        if broken[row]:
            writing.failure = not_a_number(writing)
        else:
            endings.take(writing, int(tokens[row]))
