"""One training step: rows to token ids, the loss on answers, gradients over a few threads."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from harness.demo.base_recipe import BaseRecipe, hardness_at
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
            recipe.seed, step, n=recipe.rows_a_step, hardness=hardness, is_broad=step >= recipe.broad_steps
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


def train_step(
    model: Any,
    optimizer: Any,
    made: list[tuple[Any, Any, Any]],
    *,
    rate: float,
    recipe: BaseRecipe,
    pool: Executor,
) -> float:
    """One step over the micro-batches; the mean loss per answer token.

    Each micro-batch is one task of the pool on one core, and gradients are added in order: threads that meet once
    a step keep busy where other work shares the machine, and their number does not change the result.
    """
    import torch

    parameters = [weights for weights in model.parameters() if weights.requires_grad]
    n_answers = sum(int((learned[:, 1:] != NOT_LEARNED).sum()) for _, learned, _ in made)
    n_read = sum(int((lengths - 1).sum()) for *_, lengths in made) - n_answers

    def gradients(batch: tuple[Any, Any, Any]) -> tuple[float, Any]:
        loss, answer_loss = batch_loss(model, batch, n_answers=n_answers, n_read=n_read, recipe=recipe)
        return answer_loss, torch.autograd.grad(loss, parameters)

    results = list(pool.map(gradients, made))
    for weights, parts in zip(parameters, zip(*(found for _, found in results), strict=True), strict=True):
        weights.grad = sum(parts[1:], start=parts[0])
    for group in optimizer.param_groups:
        group["lr"] = rate
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return sum(loss for loss, _ in results)
