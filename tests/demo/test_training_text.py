"""Rows, tokenizer and the training loop of the demo's base model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.core.variants import source_variant
from harness.demo import world
from harness.demo.base_recipe import BaseRecipe, new_model
from harness.demo.base_steps import NOT_LEARNED, row_tokens
from harness.demo.rows import asked, training_rows
from harness.demo.tokenizer import train_tokenizer
from harness.demo.train_base import ship, train
from harness.prompting import plain_text, request

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TINY = BaseRecipe(
    steps=4, rows_a_step=4, micro_batches=2, cooldown_steps=1, warmup_steps=1, hidden=16, layers=1, heads=2,
    inner=16, precision="fp32",
)  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(seed=1, n_rows=200)


@pytest.mark.parametrize("family", world.FAMILIES)
def test_training_prompts_are_word_for_word_what_the_harness_asks(family: str) -> None:
    for item in world.items(family, n=10, seed=1):
        conversation = request(source_variant(item), world.ASKING[family]).prompt  # type: ignore[union-attr]
        assert not isinstance(conversation, str)
        assert asked(item).prompt == plain_text(conversation)
        assert asked(item).answer.startswith(conversation.joiner)


def test_rows_depend_on_seed_and_step_alone() -> None:
    first = list(training_rows(1, 7, n=6))
    assert first == list(training_rows(1, 7, n=6))
    assert first != list(training_rows(1, 8, n=6))
    assert first != list(training_rows(2, 7, n=6))


def test_the_tokenizer_gives_every_text_back_and_adds_nothing(tokenizer: PreTrainedTokenizerFast) -> None:
    texts = [
        "The café opens at 12:30.",
        "绿盒子里装着苹果。",
        '{"姓名": "何平", "n": 104}',
        "émigré 🙂\t\n\n x",
    ]
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids) == text
        assert not set(ids) & set(tokenizer.all_special_ids)


def test_digits_and_chinese_characters_stand_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.decode(tokenizer("4821")["input_ids"][1]) == "8"
    assert len(tokenizer("北京上海")["input_ids"]) >= 4


def test_prompt_and_answer_are_cut_where_they_meet(tokenizer: PreTrainedTokenizerFast) -> None:
    for family in world.FAMILIES:
        for item in world.items(family, n=6, seed=2):
            shown = asked(item)
            apart = tokenizer(shown.prompt)["input_ids"] + tokenizer(shown.answer)["input_ids"]
            assert tokenizer(shown.prompt + shown.answer)["input_ids"] == apart


def test_padding_end_and_beginning_are_three_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len({tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id}) == 3
    assert tokenizer.model_max_length == 512


def test_only_answers_and_the_end_after_each_are_learned(tokenizer: PreTrainedTokenizerFast) -> None:
    row = next(iter(training_rows(3, 0, n=1)))
    ids, learned = row_tokens(row, tokenizer)
    kept = [token for token, wanted in zip(ids, learned, strict=True) if wanted != NOT_LEARNED]
    assert all(wanted in (token, NOT_LEARNED) for token, wanted in zip(ids, learned, strict=True))
    assert tokenizer.decode(kept) == "".join(shown.answer + tokenizer.eos_token for shown in row)


def test_a_paused_training_ends_with_the_same_weights(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    import torch

    straight, once = train(TINY, tokenizer, pause_in=tmp_path / "once", every=100, probe=2)
    # Two steps of a shorter training that never cooled down are the beginning of the longer one.
    train(replace(TINY, steps=2), tokenizer, pause_in=tmp_path / "parts", every=100, probe=2)
    resumed, again = train(TINY, tokenizer, pause_in=tmp_path / "parts", every=100, probe=2)
    assert (again.step, again.data_digest) == (once.step, once.data_digest)
    for left, right in zip(resumed.parameters(), straight.parameters(), strict=True):
        assert torch.equal(left, right)


def test_the_number_of_processes_does_not_change_the_weights(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    import torch

    alone, _ = train(TINY, tokenizer, pause_in=tmp_path / "one", every=100, probe=2)
    shared, progress = train(TINY, tokenizer, pause_in=tmp_path / "two", every=100, probe=2, workers=2)
    assert progress.step == TINY.steps
    for left, right in zip(alone.parameters(), shared.parameters(), strict=True):
        assert torch.equal(left, right)


def test_a_training_paused_after_its_cool_down_began_starts_afresh(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cooling = replace(TINY, steps=2, cooldown_steps=2)
    train(cooling, tokenizer, pause_in=tmp_path, every=100, probe=2)
    train(replace(cooling, steps=4), tokenizer, pause_in=tmp_path, every=100, probe=2)
    assert "starting afresh" in capsys.readouterr().err


def test_a_shipped_checkpoint_loads_and_speaks_the_tokenizer(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ship(new_model(TINY, tokenizer), tokenizer, tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert str(model.dtype) == "torch.bfloat16"
    assert loaded("问题：x 12")["input_ids"] == tokenizer("问题：x 12")["input_ids"]
    assert model.config.eos_token_id == loaded.eos_token_id
