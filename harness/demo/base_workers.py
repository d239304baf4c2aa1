"""Processes that train one model together: each computes the gradients of some micro-batches of every step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.digest import digest
from harness.demo.base_recipe import BaseRecipe, learning_rate, new_model, new_optimizer
from harness.demo.base_steps import apply_gradient, batches, gradients
from harness.demo.pauses import Progress, load_pause

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

_PATIENCE_SECONDS = 1800  # the others wait while the first writes and probes


@dataclass(frozen=True, slots=True)
class Together:
    """What the processes share.

    Args:
        n: How many there are.
        gradients: (micro_batches, parameters) in shared memory.
        losses: (micro_batches,) in shared memory.
        barrier: Where they meet.
    """

    n: int
    gradients: Any
    losses: Any
    barrier: Any

    def meet(self) -> None:
        """Wait for the others."""
        self.barrier.wait(_PATIENCE_SECONDS)


class Training:
    """One process's copy of model and optimizer; all copies stay equal, bit by bit.

    Every process adds all gradients in the order of the micro-batches, so the number of processes does not change
    the weights.
    """

    def __init__(
        self, recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast, pause_in: Path, together: Together
    ) -> None:
        self.recipe = recipe
        self.tokenizer = tokenizer
        self.together = together
        self.model = new_model(recipe, tokenizer).train()
        self.optimizer = new_optimizer(self.model, recipe)
        self.progress: Progress = load_pause(pause_in, self.model, self.optimizer, recipe)

    def step(self, rank: int) -> float:
        """One step; the mean loss per answer token."""
        shared, progress = self.together, self.progress
        made = batches(self.recipe, self.tokenizer, progress.step)
        progress.data_digest = digest("rows/1", progress.data_digest, [ids.tolist() for ids, *_ in made])
        own = range(rank, len(made), shared.n)
        for number, loss, gradient in gradients(self.model, made, own, recipe=self.recipe):
            shared.gradients[number].copy_(gradient)
            shared.losses[number] = loss
        shared.meet()
        total = shared.gradients[0].clone()
        for number in range(1, len(made)):
            total += shared.gradients[number]
        loss = float(shared.losses[: len(made)].sum())
        shared.meet()  # nobody writes the next step's before everyone has read this one's
        rate = learning_rate(progress.step, self.recipe)
        apply_gradient(self.model, self.optimizer, total, rate=rate)
        progress.step += 1
        return loss


def _follow(
    rank: int, recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast, pause_in: Path, together: Together
) -> None:
    """What every process but the first does."""
    import torch

    torch.set_num_threads(1)
    training = Training(recipe, tokenizer, pause_in, together)
    together.meet()  # everyone has read the pause before the first writes another
    while training.progress.step < recipe.steps:
        training.step(rank)


@contextmanager
def training_with(
    workers: int, recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast, pause_in: Path
) -> Iterator[Training]:
    """The first process's training, the others started and following it step by step."""
    import torch
    import torch.multiprocessing as processes

    context = processes.get_context("spawn")
    n = max(1, min(workers, recipe.micro_batches))
    n_parameters = sum(weights.numel() for weights in new_model(recipe, tokenizer).parameters())
    together = Together(
        n,
        torch.zeros(recipe.micro_batches, n_parameters).share_memory_(),
        torch.zeros(recipe.micro_batches, dtype=torch.float64).share_memory_(),
        context.Barrier(n),
    )
    followers = [
        context.Process(target=_follow, args=(rank, recipe, tokenizer, pause_in, together), daemon=True)
        for rank in range(1, n)
    ]
    for follower in followers:
        follower.start()
    try:
        training = Training(recipe, tokenizer, pause_in, together)
        together.meet()
        yield training
    except BaseException:
        for follower in followers:
            follower.terminate()
        raise
    for follower in followers:
        follower.join()
