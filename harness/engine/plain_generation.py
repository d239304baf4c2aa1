"""The plain way of writing: batches padded on the left, or one text at a time where a model keeps no such cache."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from harness.engine.forward import accepts, has_prompt_learning
from harness.engine.memory import Budget, in_halves, packed
from harness.engine.next_tokens import take_next
from harness.engine.stop_strings import Endings
from harness.engine.writing import Writing, Written, does_not_fit

if TYPE_CHECKING:
    import torch


def plainly_written(
    model: Any, waiting: Sequence[Writing], budget: Budget, endings: Endings
) -> Iterator[Written]:
    """Each text as its batch is done, longest prompts first.

    Args:
        model: In evaluation mode.
        waiting: What is to be written.
        budget: Tokens in a batch, padding and what is still to be written included.
        endings: Decides where texts end.
    """
    caches = accepts(model, "past_key_values") and not has_prompt_learning(model)

    def size(batch: Sequence[Writing]) -> int:
        # Adapters that put tokens before the input ignore positions, and models with another kind of cache are
        # read from the start at every step: such a batch holds one text, unpadded.
        return _room_taken(batch) if caches or len(batch) == 1 else budget.tokens + 1

    def answer(batch: list[Writing]) -> list[Written]:
        return _written_batch(model, batch, endings, caches=caches)

    ordered = sorted(waiting, key=lambda writing: (-len(writing.opening.tokens), -writing.opening.limit))
    for batch in packed(ordered, budget, size=size):
        for part, results in in_halves(batch, answer, budget, size=size):
            if results is None:
                part[0].failure = does_not_fit(part[0])
                yield endings.result(part[0])
            else:
                yield from results


def _room_taken(batch: Sequence[Writing]) -> int:
    prompt = max(len(writing.opening.tokens) for writing in batch)
    return len(batch) * (prompt + max(writing.opening.limit for writing in batch))


def _written_batch(model: Any, batch: list[Writing], endings: Endings, *, caches: bool) -> list[Written]:
    import torch

    started = perf_counter()
    texts = [writing.again() for writing in batch]  # a half that failed begins again
    for writing in texts:
        writing.began = started if writing.began is None else writing.began
    with torch.inference_mode():
        steps = _steps(model, texts, caches=caches)
        for logits in steps:
            take_next(texts, logits, endings)
            if all(writing.is_done for writing in texts):
                steps.close()
    for writing in texts:
        writing.seconds += (perf_counter() - started) / len(texts)
    return [endings.result(writing) for writing in texts]


def _steps(model: Any, texts: list[Writing], *, caches: bool) -> Generator[torch.Tensor, None, None]:
    """The logits of every text's next token, again and again; the caller appends to `tokens` in between."""
    import torch

    device = model.device
    takes_positions = caches and accepts(model, "position_ids")
    keeps_last = {"logits_to_keep": 1} if accepts(model, "logits_to_keep") else {}
    prompts = [writing.opening.tokens for writing in texts]
    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[*[0] * (width - len(prompt)), *prompt] for prompt in prompts], device=device)
    mask = torch.tensor(
        [[*[0] * (width - len(prompt)), *[1] * len(prompt)] for prompt in prompts], device=device
    )
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    past = None
    while True:
        placed = {"position_ids": positions} if takes_positions else {}
        out = model(
            input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=caches, **placed, **keeps_last
        )
        yield out.logits[:, -1]
        newest = torch.tensor(
            [[writing.tokens[-1] if writing.tokens else 0] for writing in texts], device=device
        )
        mask = torch.cat([mask, torch.ones_like(newest)], dim=1)
        if caches:
            past, ids = out.past_key_values, newest
            positions = positions[:, -1:] + 1
        else:
            ids = torch.cat([ids, newest], dim=1)
