"""One stage on Transformers' Trainer, with our own batches, loss and saved states."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.finetune.methods import computing_dtype, load_tensors, save_tensors, stage_seed, trained_tensors
from harness.finetune.prepare import StageRows
from harness.finetune.progress import Progress, StepDone
from harness.finetune.recipe import Recipe
from harness.finetune.shape import ScheduleShape, StageShape
from harness.finetune.spans import TokenRow

if TYPE_CHECKING:
    import torch

    from harness.engine import Checkpoint

NOT_LEARNED = -100
STATE = "trainer_state.json"  # Trainer writes it last, so a saved state that has it is whole
TENSORS = "trained.safetensors"
_REPORT_EVERY = 10
_EAGER_TOKENS = 1024  # up to here, on a processor, plain attention trains faster than the fused kernel
_PEAKS = {"full": 2e-5, "lora": 2e-4}
_SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}


@dataclass(frozen=True, slots=True)
class StageDone:
    """What a finished stage leaves in the manifest.

    Args:
        steps: Optimiser steps.
        seconds: Of training, in the session that finished it.
        n_trained: Numbers trained.
        n_parameters: Numbers of the whole model.
        curve: Per report: step, loss, nats_per_token_loss, learning_rate, grad_norm.
    """

    steps: int
    seconds: float
    n_trained: int
    n_parameters: int
    curve: tuple[dict[str, float], ...]


def schedule_of(stage: StageShape) -> ScheduleShape:
    """The stage's schedule, or the usual one of its method."""
    return stage.schedule or ScheduleShape(name="cosine", warmup=0.05, peak=_PEAKS[stage.method])


def batch_of(rows: Sequence[TokenRow], pad: int) -> dict[str, torch.Tensor]:
    """Ids and labels padded on the right; labels follow each row's mask and length, never the value of a token.

    Example:
        >>> from harness.finetune.examples import Example
        >>> row = TokenRow(Example(Path("a"), 1, 0), (1, 5, 2), (False, True, True))
        >>> batch_of([row], pad=2)["labels"].tolist()
        [[-100, 5, 2]]
    """
    import torch

    width = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), NOT_LEARNED)
    for place, row in enumerate(rows):
        values = torch.tensor(row.ids)
        ids[place, : len(row.ids)] = values
        labels[place, : len(row.ids)] = values.masked_fill(~torch.tensor(row.learned), NOT_LEARNED)
    return {"input_ids": ids, "labels": labels}


def summed_losses(
    model: Any, ids: torch.Tensor, labels: torch.Tensor, *, smoothing: float, head_apart: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """(objective, negative log-likelihood) summed over the learned tokens, in nats.

    Padding stands on the right, where a causal model never looks, so no attention mask is needed.
    """
    import torch.nn.functional as F

    from harness.engine.forward import inner_model

    wanted = labels[:, 1:]
    kept = wanted != NOT_LEARNED
    if head_apart:
        inner = inner_model(model)
        hidden = inner.base_model(input_ids=ids, use_cache=False)[0]
        logits = inner.get_output_embeddings()(hidden[:, :-1][kept])
    else:
        logits = model(input_ids=ids).logits[:, :-1][kept]
    logprobs = F.log_softmax(logits.float(), dim=-1)  # (n_learned, vocabulary)
    nll = F.nll_loss(logprobs, wanted[kept], reduction="sum")
    if not smoothing:
        return nll, nll
    return (1 - smoothing) * nll - smoothing * logprobs.mean(dim=-1).sum(), nll


def train_stage(
    model: Any,
    recipe: Recipe,
    place: int,
    rows: StageRows,
    checkpoint: Checkpoint,
    *,
    folder: Path,
    progress: Progress,
) -> StageDone:
    """Trains the model in place, going on from the newest whole state in the folder.

    Raises:
        RecipeError: If the loss is no longer finite, or a batch does not fit the memory.
    """
    import torch

    from harness.engine.forward import has_head_apart, inner_model

    inner = inner_model(model)
    usual = inner.config._attn_implementation
    if checkpoint.device.type == "cpu" and max(len(row.ids) for row in rows.rows) <= _EAGER_TOKENS:
        inner.set_attn_implementation("eager")
    head_apart = has_head_apart(model.eval())
    model.train()
    trainer = _trainer(model, recipe, place, rows, checkpoint, folder, progress, head_apart=head_apart)
    started = time.perf_counter()
    state = newest_state(folder)
    try:
        trainer.train(resume_from_checkpoint=None if state is None else str(state))
    except torch.OutOfMemoryError as error:
        message = (
            "the memory is too small for a batch; lower batch_size or batch_tokens, and raise accumulate"
        )
        raise recipe.fault(("stages", place), message) from error
    model.eval()
    inner.set_attn_implementation(usual)
    return StageDone(
        steps=rows.plan.steps,
        seconds=round(time.perf_counter() - started, 3),
        n_trained=sum(tensor.numel() for tensor in trained_tensors(model).values()),
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        curve=tuple(
            {name: entry[name] for name in _CURVE if name in entry}
            for entry in trainer.state.log_history
            if "loss" in entry
        ),
    )


_CURVE = ("step", "loss", "nats_per_token_loss", "learning_rate", "grad_norm")


def newest_state(folder: Path) -> Path | None:
    """The newest state that was saved whole; one cut short by a kill has no `trainer_state.json` yet."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{STATE}")]
    return max(whole, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)


def _arguments(recipe: Recipe, place: int, rows: StageRows, checkpoint: Checkpoint, folder: Path) -> Any:
    from transformers import TrainingArguments

    stage = recipe.shape.stages[place]
    schedule = schedule_of(stage)
    steps = rows.plan.steps
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        gradient_accumulation_steps=stage.accumulate,
        learning_rate=schedule.peak,
        lr_scheduler_type=_SCHEDULES[schedule.name],
        warmup_steps=math.ceil(schedule.warmup * steps),
        weight_decay=stage.weight_decay,
        max_grad_norm=stage.clip,
        seed=stage_seed(recipe, place),
        save_strategy="steps",
        save_steps=stage.save_every,
        save_total_limit=2,
        logging_strategy="steps",
        logging_steps=_REPORT_EVERY,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        use_cpu=checkpoint.device.type == "cpu",
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        average_tokens_across_devices=False,
    )
    # Several GPUs in sight would make it copy the model to each; the stage is planned for one.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _trainer(
    model: Any,
    recipe: Recipe,
    place: int,
    rows: StageRows,
    checkpoint: Checkpoint,
    folder: Path,
    progress: Progress,
    *,
    head_apart: bool,
) -> Any:
    """A Trainer made for the stage; a class inside, because importing Transformers takes seconds."""
    import torch
    from torch.utils.data import DataLoader
    from transformers import PrinterCallback, Trainer, TrainerCallback

    stage = recipe.shape.stages[place]
    computing = computing_dtype(recipe, checkpoint.device)
    pad = checkpoint.tokenizer.pad_token_id or 0

    class StageTrainer(Trainer):  # type: ignore[misc]
        # `compute_loss` divides by the learned tokens of the whole step, whatever its batches.
        loss_is_scaled_for_ga = True

        def get_train_dataloader(self) -> Any:
            def collate(batch: list[TokenRow]) -> dict[str, torch.Tensor]:
                return batch_of(batch, pad)

            return DataLoader(
                list(rows.rows),  # type: ignore[arg-type]
                batch_sampler=[list(batch) for batch in rows.plan.batches],
                collate_fn=collate,
            )

        def compute_loss(
            self,
            model: Any,
            inputs: Any,
            return_outputs: bool = False,  # noqa: FBT001, FBT002 - Trainer's signature
            num_items_in_batch: Any = None,
        ) -> Any:
            enabled = computing is not torch.float32
            with torch.autocast(self.args.device.type, computing, enabled=enabled):
                total, nll = summed_losses(
                    model,
                    inputs["input_ids"],
                    inputs["labels"],
                    smoothing=stage.objective.label_smoothing,
                    head_apart=head_apart,
                )
            report.count(inputs, nll.detach())
            return total / num_items_in_batch

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            if "loss" in logs:
                logs = report.told(logs, self.state.global_step)
            super().log(logs, start_time)

        def floating_point_ops(self, inputs: Any) -> int:
            return 0  # counted by nobody

        def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
            target = Path(output_dir or self.args.output_dir)
            target.mkdir(parents=True, exist_ok=True)
            save_tensors(self.model, target / TENSORS)

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            load_tensors(self.model, Path(resume_from_checkpoint) / TENSORS)

    class TellLast(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> Any:
            control.should_log |= state.global_step >= state.max_steps
            return control

    report = _Report(recipe, place, rows.plan.steps, progress)
    trainer = StageTrainer(
        model=model,
        args=_arguments(recipe, place, rows, checkpoint, folder),
        train_dataset=list(rows.rows),
        callbacks=[TellLast()],
    )
    trainer.model_accepts_loss_kwargs = True  # makes it count the learned tokens of each step
    trainer.remove_callback(PrinterCallback)
    return trainer


class _Report:
    """Sums between two reports, and the pace."""

    def __init__(self, recipe: Recipe, place: int, n_steps: int, progress: Progress) -> None:
        self.recipe, self.place, self.n_steps, self.progress = recipe, place, n_steps, progress
        self.nll: Any = 0.0
        self.n_learned: Any = 0
        self.n_tokens = 0
        self.since = time.perf_counter()
        self.last_step: int | None = None

    def count(self, inputs: Any, nll: Any) -> None:
        self.nll = self.nll + nll
        self.n_learned = self.n_learned + (inputs["labels"] != NOT_LEARNED).sum()
        self.n_tokens += inputs["input_ids"].numel()

    def told(self, logs: dict[str, float], step: int) -> dict[str, float]:
        """The report with the true loss beside the objective; an error where it is not finite."""
        if not math.isfinite(logs["loss"]):
            peak = schedule_of(self.recipe.shape.stages[self.place]).peak
            message = f"the loss is no longer finite at step {step} with peak {peak:g}; lower the peak"
            raise self.recipe.fault(("stages", self.place, "schedule"), message)
        seconds = time.perf_counter() - self.since
        n_steps = 1 if self.last_step is None else step - self.last_step
        nats = float(self.nll) / int(self.n_learned)
        self.progress(
            StepDone(
                stage=self.place + 1,
                n_stages=len(self.recipe.shape.stages),
                step=step,
                n_steps=self.n_steps,
                loss=logs["loss"],
                nats_per_token_loss=nats,
                tokens_per_second=self.n_tokens / seconds,
                seconds_left=seconds / max(1, n_steps) * (self.n_steps - step),
            )
        )
        self.nll, self.n_learned, self.n_tokens = 0.0, 0, 0
        self.since, self.last_step = time.perf_counter(), step
        return {**logs, "nats_per_token_loss": nats}
