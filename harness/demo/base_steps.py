"""One training step: rows to token ids, the loss, the gradients of micro-batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.demo.base_recipe import BaseRecipe, hardness_at, mixture_at
from harness.demo.rows import Row, training_rows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

NOT_LEARNED = -100


def row_tokens(row: Row, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Token ids of a row and, in step with them, what is learned: answers and the end after each."""
    ids: list[int] = []
    learned: list[int] = []
    gap = ""
    for shown in row:
        prompt = tokenizer(gap + shown.prompt)["input_ids"]
        answer = [*tokenizer(shown.answer)["input_ids"], tokenizer.eos_token_id]
        ids += prompt + answer
        learned += [NOT_LEARNED] * len(prompt) + answer
        gap = "\n\n"
    return ids, learned


def batches(recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast, step: int) -> list[tuple[Any, Any, Any]]:
    """The step's micro-batches (ids, learned, lengths), rows of like length together."""
    import torch

    hardness = hardness_at(step, recipe)
    rows = [
        row_tokens(row, tokenizer)
        for row in training_rows(
            recipe.seed, step, n=recipe.rows_a_step, hardness=hardness, mixture=mixture_at(step, recipe)
        )
    ]
    rows.sort(key=lambda row: len(row[0]))
    size = math.ceil(len(rows) / recipe.micro_batches)
    made = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        longest = len(part[-1][0])
        ids = torch.full((len(part), longest), tokenizer.pad_token_id)
        learned = torch.full((len(part), longest), NOT_LEARNED)
        for place, (row_ids, row_learned) in enumerate(part):
            ids[place, : len(row_ids)] = torch.tensor(row_ids)
            learned[place, : len(row_learned)] = torch.tensor(row_learned)
        made.append((ids, learned, torch.tensor([len(row_ids) for row_ids, _ in part])))
    return made


def batch_loss(
    model: Any, batch: tuple[Any, Any, Any], *, n_answers: int, n_read: int, recipe: BaseRecipe
) -> tuple[Any, float]:
    """A micro-batch's share of the step's loss, and of its mean loss per answer token.

    The text that is read is predicted too, at a small weight: it teaches which words stand for each other long
    before the few answer tokens do.
    """
    import torch
    import torch.nn.functional as F

    ids, learned, lengths = batch
    is_answer = learned[:, 1:] != NOT_LEARNED
    is_text = torch.arange(1, ids.shape[1]) < lengths[:, None]
    # No cache of cast weights: it would be shared between threads that each have a graph of their own.
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16", cache_enabled=False):
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[is_text])
    losses = F.cross_entropy(logits.float(), ids[:, 1:][is_text], reduction="none")
    answers = is_answer[is_text]
    answer_loss = losses[answers].sum() / n_answers
    read_loss = losses[~answers].sum() / n_read
    return answer_loss + recipe.reading_weight * read_loss, float(answer_loss.detach())


def gradients(
    model: Any, made: list[tuple[Any, Any, Any]], chosen: Sequence[int], *, recipe: BaseRecipe
) -> Iterator[tuple[int, float, Any]]:
    """Per chosen micro-batch: its number, its share of the step's loss per answer token, its flat gradient."""
    import torch

    parameters = [weights for weights in model.parameters() if weights.requires_grad]
    n_answers = sum(int((learned[:, 1:] != NOT_LEARNED).sum()) for _, learned, _ in made)
    n_read = sum(int((lengths - 1).sum()) for *_, lengths in made) - n_answers
    for number in chosen:
        loss, answer_loss = batch_loss(model, made[number], n_answers=n_answers, n_read=n_read, recipe=recipe)
        found = torch.autograd.grad(loss, parameters)
        yield number, answer_loss, torch.cat([part.reshape(-1) for part in found])


def apply_gradient(model: Any, optimizer: Any, gradient: Any, *, rate: float) -> None:
    """One step of the optimizer along a flat gradient, cut to norm 1."""
    import torch

    parameters = [weights for weights in model.parameters() if weights.requires_grad]
    start = 0
    for weights in parameters:
        weights.grad = gradient[start : start + weights.numel()].view_as(weights).clone()
        start += weights.numel()
    for group in optimizer.param_groups:
        group["lr"] = rate
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
