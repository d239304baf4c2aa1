"""Training itself: the loss is right whatever the batches, a killed training goes on bit for bit, results open."""

from __future__ import annotations

import json
import random
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import RecipeError, UsageError
from harness.core.exchange import Generate, Generated, GenerationSettings
from harness.core.variants import source_variant
from harness.engine import LocalBackend, open_checkpoint
from harness.finetune import Recipe, StepDone, Trained, finetune
from harness.finetune.methods import Trainee
from harness.finetune.prepare import open_base, prepared
from harness.finetune.train_stage import summed_losses, train_stage
from harness.prompting import Asking, request

MakeRecipe = Callable[..., Recipe]


class Killed(Exception):
    """What ends a training from outside."""


def _train(recipe: Recipe, out: Path, **options: Any) -> Trained:
    return finetune(recipe, out=out, device="cpu", **options)


def _tensors(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    (file,) = folder.glob("*.safetensors")
    return dict(load_file(file))


def _furthest(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name].float() - other[name].float()).abs().max()) for name in one)


def _killer(step: int, *, stage: int = 1) -> Callable[[StepDone], None]:
    def progress(done: StepDone) -> None:
        if (done.stage, done.step) == (stage, step):
            raise Killed

    return progress


# --- the loss -------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_how_a_step_is_divided_into_batches_does_not_change_it(
    recipe_over: MakeRecipe, tmp_path: Path, smoothing: float
) -> None:
    found = []
    for size, accumulate in ((8, 1), (1, 8)):
        objective = {"label_smoothing": smoothing}
        recipe = recipe_over(batch_size=size, accumulate=accumulate, steps=4, objective=objective)
        found.append(_train(recipe, tmp_path / f"{size}x{accumulate}"))
    whole, parts = (_tensors(trained.checkpoint) for trained in found)
    # Adam divides by the gradient's own size, so rounding may show at a thousandth of the rate; the naive
    # mean of means differs by the rate itself (research: 8e-3 against 6e-8).
    assert _furthest(whole, parts) < 2e-5
    curves = [trained.manifest["stages"][0]["curve"] for trained in found]
    for one, other in zip(*curves, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)


@pytest.mark.parametrize("head_apart", [True, False])
def test_the_loss_is_transformers_own(recipe_over: MakeRecipe, head_apart: bool) -> None:
    from harness.finetune.train_stage import batch_of

    with open_base(recipe_over(), device="cpu") as checkpoint:
        rows = prepared(recipe_over(), checkpoint).stages[0].rows[:6]
        batch = batch_of(rows, 0)
        ids, labels = batch["input_ids"], batch["labels"]
        mask = (labels != -100).int()
        total, nll = summed_losses(checkpoint.model, ids, labels, smoothing=0.0, head_apart=head_apart)
        own = checkpoint.model(input_ids=ids, labels=labels).loss
        assert total.item() / int(mask.sum()) == pytest.approx(own.item(), rel=1e-5)
        assert nll.item() == total.item()


def test_label_smoothing_is_torchs_own_and_leaves_the_true_loss_told(recipe_over: MakeRecipe) -> None:
    import torch.nn.functional as F

    from harness.finetune.train_stage import batch_of

    with open_base(recipe_over(), device="cpu") as checkpoint:
        batch = batch_of(prepared(recipe_over(), checkpoint).stages[0].rows[:6], 0)
        ids, labels = batch["input_ids"], batch["labels"]
        total, nll = summed_losses(checkpoint.model, ids, labels, smoothing=0.3, head_apart=True)
        logits = checkpoint.model(input_ids=ids).logits[:, :-1].flatten(0, 1)
        wanted = labels[:, 1:].flatten()
        smoothed = F.cross_entropy(logits, wanted, label_smoothing=0.3, reduction="sum")
        assert total.item() == pytest.approx(smoothed.item(), rel=1e-5)
        true_loss = F.cross_entropy(logits, wanted, reduction="sum")
        assert nll.item() == pytest.approx(true_loss.item(), rel=1e-5)


def test_a_trained_model_answers_and_stops_though_pad_is_end_of_sequence(
    recipe_over: MakeRecipe, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    from transformers import AutoTokenizer

    base = tmp_path / "base"
    shutil.copytree(tiny_checkpoint, base)
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.save_pretrained(base)
    rows = [{"q": question, "a": "the courier"} for question in ("Who?", "Who left it?", "Who is right?")] * 4
    recipe = recipe_over(rows, base=base, steps=40, batch_size=12, schedule={"peak": 1e-2})
    trained = _train(recipe, tmp_path / "out")
    with open_base(recipe, device="cpu") as before:
        item = prepared(recipe, before).stages[0].rows[0].example.item
    assert item is not None
    asked = request(
        source_variant(item), Asking("short_answer", generation=GenerationSettings(max_tokens=30))
    )
    assert isinstance(asked, Generate)
    with open_checkpoint(trained.checkpoint, device="cpu") as checkpoint:
        ((_, answer),) = LocalBackend(checkpoint).answer([asked])
    assert isinstance(answer, Generated)
    assert (answer.generations[0].text.strip(), answer.generations[0].finish_reason) == ("the courier", "eos")


# --- number formats -------------------------------------------------------------------------------


def _in_bf16(source: Path, folder: Path) -> Path:
    import torch
    from transformers import AutoModelForCausalLM

    shutil.copytree(source, folder)
    AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16).save_pretrained(folder)
    return folder


def test_full_training_keeps_updates_smaller_than_bf16_can_hold(
    recipe_over: MakeRecipe, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    import torch

    base = _in_bf16(tiny_checkpoint, tmp_path / "base")
    schedule = {"name": "constant", "warmup": 0, "peak": 1e-6}
    top = {"save_dtype": "float32"}
    trained = _train(recipe_over(base=base, steps=3, schedule=schedule, top=top), tmp_path / "out")
    found, before = _tensors(trained.checkpoint), _tensors(base)
    name = "model.layers.0.mlp.down_proj.weight"
    assert before[name].dtype == torch.bfloat16
    assert found[name].dtype == torch.float32
    # Three steps of Adam at 1e-6 move a weight by about 3e-6; bf16 steps are a hundred times as large here.
    moved = (found[name] - before[name].float()).abs()
    assert 0 < float(moved.max()) < 1e-5
    assert float((moved > 0).float().mean()) > 0.9


def test_weights_are_written_in_the_bases_format_unless_told(
    recipe_over: MakeRecipe, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    import torch

    base = _in_bf16(tiny_checkpoint, tmp_path / "base")
    trained = _train(recipe_over(base=base, steps=1), tmp_path / "out")
    assert {tensor.dtype for tensor in _tensors(trained.checkpoint).values()} == {torch.bfloat16}


# --- resume ---------------------------------------------------------------------------------------

RESUMED = {
    "full": [{"method": "full", "steps": 14, "batch_size": 4, "save_every": 4, "accumulate": 2}],
    "lora with dropout": [
        {"method": "lora", "rank": 4, "dropout": 0.2, "steps": 14, "batch_tokens": 200, "save_every": 4}
    ],
}


@pytest.mark.parametrize("kind", RESUMED)
def test_a_killed_training_goes_on_bit_for_bit(recipe_over: MakeRecipe, tmp_path: Path, kind: str) -> None:
    recipe = recipe_over(stages=[{**RESUMED[kind][0], "schedule": {"peak": 1e-2}}])
    whole = _train(recipe, tmp_path / "whole")
    with pytest.raises(Killed):
        _train(recipe, tmp_path / "resumed", progress=_killer(10))
    assert not (tmp_path / "resumed").exists()
    told: list[int] = []
    resumed = _train(recipe, tmp_path / "resumed", progress=lambda done: told.append(done.step))
    assert min(told) > 8  # it went on from step 8, not from the start
    assert _furthest(_tensors(whole.checkpoint), _tensors(resumed.checkpoint)) == 0.0
    assert whole.manifest["result"]["digest"] == resumed.manifest["result"]["digest"]


def test_a_state_cut_short_by_the_kill_is_not_gone_on_from(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    recipe = recipe_over(steps=14, batch_size=4, save_every=4)
    whole = _train(recipe, tmp_path / "whole")
    with pytest.raises(Killed):
        _train(recipe, tmp_path / "cut", progress=_killer(10))
    states = tmp_path / "cut.partial" / "stage-0"
    assert sorted(path.name for path in states.glob("checkpoint-*")) == ["checkpoint-4", "checkpoint-8"]
    (states / "checkpoint-8" / "trainer_state.json").unlink()
    (states / "checkpoint-8" / "trained.safetensors").write_bytes(b"half")
    resumed = _train(recipe, tmp_path / "cut")
    assert _furthest(_tensors(whole.checkpoint), _tensors(resumed.checkpoint)) == 0.0


def test_finished_stages_are_not_trained_again(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    peak = {"schedule": {"peak": 1e-2}}
    stages = [
        {"method": "full", "steps": 3, **peak},
        {"method": "lora", "rank": 2, "steps": 3, **peak},
        {"method": "lora", "rank": 2, "steps": 12, "save_every": 5, **peak},
    ]
    recipe = recipe_over(stages=stages)
    whole = _train(recipe, tmp_path / "whole")
    with pytest.raises(Killed):
        _train(recipe, tmp_path / "resumed", progress=_killer(10, stage=3))
    told: list[int] = []
    resumed = _train(recipe, tmp_path / "resumed", progress=lambda done: told.append(done.stage))
    assert set(told) == {3}
    assert _furthest(_tensors(whole.checkpoint), _tensors(resumed.checkpoint)) == 0.0


def test_another_recipe_does_not_go_on_from_this_ones_state(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        _train(recipe_over(steps=12), tmp_path / "out", progress=_killer(10))
    other = recipe_over(steps=3)
    with pytest.raises(UsageError, match="unfinished training of another recipe.*--no-resume"):
        _train(other, tmp_path / "out")
    assert _train(other, tmp_path / "out", resume=False).is_new


# --- what is written ------------------------------------------------------------------------------


def test_lora_trains_every_linear_layer_but_the_head(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    trained = _train(recipe_over(method="lora", rank=4, steps=4, schedule={"peak": 1e-2}), tmp_path / "out")
    config = json.loads((trained.checkpoint / "adapter_config.json").read_text(encoding="utf-8"))
    layers = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert {name.rsplit(".", 1)[-1] for name in config["target_modules"]} == layers
    assert (config["r"], config["lora_alpha"]) == (4, 8)
    # By hand, per layer of hidden 32, inner 64, 2 of 4 heads: rank x (inputs + outputs), two layers.
    a_layer = (32 + 32) + 2 * (32 + 16) + (32 + 32) + 2 * (32 + 64) + (64 + 32)
    assert trained.manifest["stages"][0]["n_trained"] == 2 * 4 * a_layer
    assert trained.manifest["result"]["kind"] == "adapter"


def test_an_adapter_finds_its_base_after_both_have_moved(
    recipe_over: MakeRecipe, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    here = tmp_path / "here"
    shutil.copytree(tiny_checkpoint, here / "base")
    recipe = recipe_over(base=here / "base", method="lora", rank=2, steps=2)
    trained = _train(recipe, here / "runs" / "adapter")
    shutil.move(here, tmp_path / "there")
    with open_checkpoint(tmp_path / "there" / "runs" / "adapter", device="cpu") as opened:
        assert opened.identity.digest == trained.manifest["result"]["digest"]
        assert opened.identity.weights == trained.manifest["base"]["weights"]
        assert opened.model is not None


def test_lora_after_full_training_is_written_as_full_weights(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    stages = [{"method": "full", "steps": 2}, {"method": "lora", "rank": 2, "steps": 2}]
    trained = _train(recipe_over(stages=stages), tmp_path / "out")
    assert trained.manifest["result"]["kind"] == "full"
    assert not (trained.checkpoint / "adapter_config.json").exists()


def test_an_adapter_is_trained_further_on_its_merged_weights(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    first = _train(recipe_over(method="lora", rank=2, steps=2), tmp_path / "adapter")
    second = _train(recipe_over(base=first.checkpoint, steps=1), tmp_path / "out")
    assert second.manifest["base"]["digest"] == first.manifest["result"]["digest"]
    assert second.manifest["result"]["kind"] == "full"


def test_the_result_differs_from_its_base_in_weights_alone(
    recipe_over: MakeRecipe, tmp_path: Path, tiny_chat_checkpoint: Path
) -> None:
    trained = _train(recipe_over(base=tiny_chat_checkpoint, steps=2), tmp_path / "out")
    base, result = trained.manifest["base"], trained.manifest["result"]
    assert result["weights"] != base["weights"]
    assert (result["tokenizer"], result["template"]) == (base["tokenizer"], base["template"])
    assert not list(trained.checkpoint.glob("*.bin"))


def test_the_manifest_links_data_recipe_parent_and_result(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    import hashlib

    top = {"treatments": [{"transform": "typo", "share": 0.5}]}
    recipe = recipe_over(steps=11, top=top)
    trained = _train(recipe, tmp_path / "out")
    stored = json.loads((trained.checkpoint / "training.json").read_text(encoding="utf-8"))
    assert stored == trained.manifest == trained.to_json()["manifest"]
    data = hashlib.sha256((tmp_path / "rows.jsonl").read_bytes()).hexdigest()
    assert stored["data"][0]["sha256"] == data
    assert stored["recipe"] == recipe.to_json() and stored["recipe_digest"] == recipe.digest
    with open_checkpoint(trained.checkpoint, device="cpu") as opened:
        assert stored["result"]["digest"] == opened.identity.digest
    assert stored["treatments"][0]["n_changed"] > 0
    assert [entry["step"] for entry in stored["stages"][0]["curve"]] == [1, 10, 11]
    assert stored["environment"]["device"] == "cpu"
    assert stored["stages"][0]["learned_tokens"] > 0


def test_equal_recipes_give_equal_weights_and_another_seed_others(
    recipe_over: MakeRecipe, tmp_path: Path
) -> None:
    first = _train(recipe_over(steps=2), tmp_path / "first")
    second = _train(recipe_over(steps=2), tmp_path / "second")
    other = _train(recipe_over(steps=2, top={"seed": 4}), tmp_path / "other")
    assert first.manifest["result"]["digest"] == second.manifest["result"]["digest"]
    assert first.manifest["result"]["digest"] != other.manifest["result"]["digest"]


def test_a_finished_training_is_returned_and_nothing_is_overwritten(
    recipe_over: MakeRecipe, tmp_path: Path
) -> None:
    recipe = recipe_over(steps=1)
    first = _train(recipe, tmp_path / "out")
    again = _train(recipe, tmp_path / "out", progress=_killer(1))  # a step would raise
    assert not again.is_new and again.manifest == first.manifest
    with pytest.raises(UsageError, match="holds another training's result and is not overwritten"):
        _train(recipe_over(steps=2), tmp_path / "out")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something else and is not overwritten"):
        _train(recipe, tmp_path / "taken")
    assert not list(tmp_path.glob("*.partial")) and not list(tmp_path.glob("*.writing"))


def test_replay_makes_up_its_share_of_all_rows(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_text('{"q": "Old?", "a": "yes"}\n' * 3, encoding="utf-8")
    replay = {"from": "old.jsonl", "share": 0.25, "map": {"question": "q", "answer": "a"}}
    recipe = recipe_over(replay=replay)
    with open_base(recipe, device="cpu") as checkpoint:
        stage = prepared(recipe, checkpoint).stages[0]
    # 24 rows are three quarters of 32.
    assert (len(stage.rows), stage.n_replay) == (32, 8)


# --- what goes wrong ------------------------------------------------------------------------------


def test_rows_that_do_not_fit_are_left_out_whole_and_counted(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    rows = [{"q": "Short?", "a": "yes"}, {"q": "Long?", "a": "no " * 200}]
    recipe = recipe_over(rows, max_tokens=64, steps=1)
    trained = _train(recipe, tmp_path / "out")
    assert trained.manifest["stages"][0]["too_long"] == 1
    assert trained.manifest["stages"][0]["rows"] == 1
    with pytest.raises(UsageError, match="all 1 rows are longer than 64 tokens"):
        _train(recipe_over(rows[1:], max_tokens=64), tmp_path / "none")


def test_a_loss_that_is_no_number_ends_the_training(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"stages\[0\].schedule: the loss is no longer finite at step"):
        _train(
            recipe_over(steps=30, schedule={"name": "constant", "warmup": 0, "peak": 1e30}), tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        (
            {"targets": ["q_prj"]},
            "stages[0].targets: no layer of the base is named 'q_prj'. Did you mean 'q_proj'",
        ),
        (
            {"targets": ["lm_head"]},
            "stages[0].targets: 'lm_head' shares its weights between embeddings and head",
        ),
        ({"targets": []}, "stages[0].targets: is empty"),
        ({"max_tokens": 9999}, "stages[0].max_tokens: is 9999, but the base reads at most 512"),
    ],
)
def test_a_stage_that_does_not_fit_the_base_is_told(
    recipe_over: MakeRecipe, tmp_path: Path, stage: dict[str, Any], told: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        _train(recipe_over(method="lora", **stage), tmp_path / "out")
    assert told in str(caught.value)


def test_an_absent_base_is_told_at_its_place(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"recipe.yaml: base: There is no folder"):
        _train(recipe_over(base=tmp_path / "nowhere"), tmp_path / "out")


def test_an_output_that_cannot_be_written_is_told_before_training(
    recipe_over: MakeRecipe, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        _train(recipe_over(), tmp_path / "file" / "out", progress=_killer(1))


def test_a_full_disk_is_told_and_the_saved_states_are_gone_on_from(
    recipe_over: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    from harness.finetune import train_stage as module

    recipe = recipe_over(steps=12, batch_size=4, save_every=5)
    save = module.save_tensors

    def fill(model: Any, path: Path) -> None:
        if path.parent.name == "checkpoint-10":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        save(model, path)

    monkeypatch.setattr(module, "save_tensors", fill)
    with pytest.raises(UsageError, match=r"No space left on device.*run the same command again"):
        _train(recipe, tmp_path / "out")
    monkeypatch.setattr(module, "save_tensors", save)
    told: list[int] = []
    assert _train(recipe, tmp_path / "out", progress=lambda done: told.append(done.step)).is_new
    assert min(told) > 5


def test_a_batch_too_large_for_the_memory_is_told(
    recipe_over: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from harness.finetune import train_stage as module

    def exhausted(*arguments: Any, **options: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, "summed_losses", exhausted)
    with pytest.raises(RecipeError, match=r"stages\[0\]: the memory is too small.*lower batch_size"):
        _train(recipe_over(steps=1), tmp_path / "out")


def test_a_device_that_training_does_not_take_is_told(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CUDA_VISIBLE_DEVICES"):
        finetune(recipe_over(), out=tmp_path / "out", device="cuda:1")


# --- manners --------------------------------------------------------------------------------------


def test_training_calls_nobody_prints_nothing_and_leaves_the_generators_alone(
    recipe_over: MakeRecipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    import numpy as np
    import torch

    def refuse(*arguments: object) -> None:
        raise AssertionError(f"the network was asked for {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    expected = (random.random(), float(np.random.random()), float(torch.rand(())))
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    _train(recipe_over(method="lora", rank=2, dropout=0.1, steps=2), tmp_path / "out")
    assert (random.random(), float(np.random.random()), float(torch.rand(()))) == expected
    assert capfd.readouterr() == ("", "")


def test_progress_tells_step_loss_pace_and_time_left(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    told: list[StepDone] = []
    _train(recipe_over(steps=12, objective={"label_smoothing": 0.2}), tmp_path / "out", progress=told.append)
    assert [done.step for done in told] == [1, 10, 12]
    assert all(done.tokens_per_second > 0 and done.n_steps == 12 for done in told)
    assert told[-1].seconds_left == 0
    assert all(done.loss != done.nats_per_token_loss for done in told)


def test_a_stage_can_be_trained_by_itself(recipe_over: MakeRecipe, tmp_path: Path) -> None:
    recipe = recipe_over(steps=30, schedule={"peak": 1e-2})
    with open_base(recipe, device="cpu") as checkpoint:
        rows = prepared(recipe, checkpoint).stages[0]
        trainee = replace(Trainee(checkpoint.model))
        done = train_stage(
            trainee.model, recipe, 0, rows, checkpoint, folder=tmp_path / "states", progress=lambda step: None
        )
    losses = [entry["nats_per_token_loss"] for entry in done.curve]
    assert losses[-1] < 0.5 * losses[0]
