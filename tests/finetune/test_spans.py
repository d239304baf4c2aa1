"""What the model reads and which of its tokens are learned: the silent traps, one test each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import CheckpointError, DataError
from harness.core.exchange import Message
from harness.core.items import Item, Label, OutputSpec, Passage, Prompt, Target, Text, Turn
from harness.core.variants import source_variant
from harness.engine import Checkpoint, open_checkpoint
from harness.engine.templates import ChatTemplate
from harness.engine.tokens import encoded
from harness.finetune.examples import Example
from harness.finetune.spans import TokenRow, rows_digest, token_rows, turn_end_of, written
from harness.finetune.train_stage import NOT_LEARNED, batch_of
from harness.prompting import Asking, Reading, request

PLACE = Example(Path("rows.jsonl"), 1, 0)
CHAT = (
    Message("user", "Which?"),
    Message("assistant", "The first."),
    Message("user", "中午？"),
    Message("assistant", "快递员"),
)
LABELS = (Label("pos", ("positive",)), Label("neg", ("negative",)))
ITEMS = [
    (
        Item(language="en", prompt=Prompt(system=Text("Be brief."), question=Text("?")), target=Target(answers=("2",))),
        Asking("short_answer"),
        "2",
    ),
    (
        Item(
            language="zh",
            prompt=Prompt(context=(Passage("快递员。"), Passage("中午。")), question=Text("谁？")),
            target=Target(references=("快递员", "他")),
        ),
        Asking("free_text"),
        "快递员",
    ),
    (
        Item(language="en", prompt=Prompt(question=Text("Good!"), labels=LABELS), target=Target(label="pos")),
        Asking("classification"),
        "positive",
    ),
    (
        Item(language="en", prompt=Prompt(question=Text("Which?"), options=("left", "noon")), target=Target(option=1)),
        Asking("multiple_choice", Reading(by="letter")),
        "B",
    ),
    (
        Item(language="en", prompt=Prompt(question=Text("Which?"), options=("left", "noon")), target=Target(option=1)),
        Asking("multiple_choice"),
        "noon",
    ),
    (
        Item(
            language="en",
            prompt=Prompt(question=Text("Ada, 36"), output=OutputSpec("json", (("age", "integer"),))),
            target=Target(fields=(("age", 36),)),
        ),
        Asking("extraction"),
        '{"age": 36}',
    ),
    (
        Item(
            language="en",
            prompt=Prompt(turns=(Turn("user", "Hi"), Turn("assistant", "Yes?"), Turn("user", "2?"))),
            target=Target(answers=("2",)),
        ),
        Asking("conversation"),
        "2",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def plain(tiny_checkpoint: Path) -> Checkpoint:
    return open_checkpoint(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def chat(tiny_chat_checkpoint: Path) -> Checkpoint:
    return open_checkpoint(tiny_chat_checkpoint, device="cpu")


def _rows(example: Example, checkpoint: Checkpoint, *, objective: str = "answers_only") -> list[TokenRow]:
    texts = written(example, checkpoint, turn_end_of(checkpoint))
    return token_rows(texts, checkpoint, objective=objective)


def _learned(row: TokenRow) -> list[int]:
    return [token for token, mark in zip(row.ids, row.learned, strict=True) if mark]


def _changed(checkpoint: Checkpoint, folder: Path, **names: Any) -> Checkpoint:
    """The checkpoint with other special tokens or another template, from a copy."""
    from transformers import AutoTokenizer

    shutil.copytree(checkpoint.location.weights, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for name, value in names.items():
        setattr(tokenizer, name, value)
    tokenizer.save_pretrained(folder)
    return open_checkpoint(folder, device="cpu")


@pytest.mark.parametrize("place", range(len(ITEMS)))
@pytest.mark.parametrize("kind", ["plain", "chat"])
def test_an_item_is_trained_on_the_very_tokens_it_is_asked_with(
    plain: Checkpoint, chat: Checkpoint, kind: str, place: int
) -> None:
    checkpoint = plain if kind == "plain" else chat
    item, asking, answer = ITEMS[place]
    (row,) = _rows(replace(PLACE, item=item, asking=asking), checkpoint)
    asked = request(source_variant(item), asking)
    # What the engine reads before it answers.
    prompt = encoded(checkpoint.tokenizer, [checkpoint.render(asked.prompt)])[0]  # type: ignore[union-attr]
    first = row.learned.index(True)
    assert list(row.ids[:first]) == prompt
    assert all(row.learned[first:])
    # In plain text an English answer follows its cue after a space, a Chinese one at once; so in evaluation.
    joiner = " " if kind == "plain" and item.language == "en" else ""
    assert checkpoint.tokenizer.decode(_learned(row)) == joiner + answer + "</s>"
    assert row.ids[-1] == checkpoint.tokenizer.eos_token_id


@pytest.mark.parametrize("kind", ["plain", "chat"])
def test_a_row_begins_with_exactly_one_bos(plain: Checkpoint, chat: Checkpoint, kind: str) -> None:
    checkpoint = plain if kind == "plain" else chat
    for example in [replace(PLACE, messages=CHAT), *(replace(PLACE, item=i, asking=a) for i, a, _ in ITEMS)]:
        for row in _rows(example, checkpoint):
            assert row.ids[0] == checkpoint.tokenizer.bos_token_id
            assert row.ids.count(checkpoint.tokenizer.bos_token_id) == 1


def test_end_of_sequence_is_learned_though_it_is_the_pad_token(plain: Checkpoint, tmp_path: Path) -> None:
    checkpoint = _changed(plain, tmp_path / "pad-is-eos", pad_token="</s>")
    end = checkpoint.tokenizer.eos_token_id
    assert checkpoint.tokenizer.pad_token_id == end
    rows = [_rows(replace(PLACE, item=item, asking=asking), checkpoint)[0] for item, asking, _ in ITEMS[:3]]
    labels = batch_of(rows, checkpoint.tokenizer.pad_token_id)["labels"]
    for row, told in zip(rows, labels.tolist(), strict=True):
        assert told[len(row.ids) - 1] == end
        assert set(told[len(row.ids) :]) <= {NOT_LEARNED}
        assert told.count(end) == 1


def test_padding_is_never_learned_and_masks_follow_length(plain: Checkpoint) -> None:
    rows = [_rows(replace(PLACE, item=item, asking=asking), plain)[0] for item, asking, _ in ITEMS]
    for pad in (0, 7):  # a pad that is an ordinary token, too
        batch = batch_of(rows, pad)
        for row, ids, labels in zip(rows, batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
            assert ids == [*row.ids, *[pad] * (len(ids) - len(row.ids))]
            assert [label for label in labels if label != NOT_LEARNED] == _learned(row)


def test_every_turn_of_the_assistant_is_learned_up_to_its_end_token(chat: Checkpoint) -> None:
    (row,) = _rows(replace(PLACE, messages=CHAT), chat)
    assert chat.tokenizer.decode(_learned(row)) == "The first.</s>快递员</s>"
    # The whole is what the template writes, up to the last end token.
    assert chat.template is not None
    text = chat.template.render(CHAT, answer_next=False)
    assert chat.tokenizer.decode(list(row.ids)) == text.rstrip("\n")


def test_without_a_template_each_turn_is_a_row_asked_as_a_conversation(plain: Checkpoint) -> None:
    rows = _rows(replace(PLACE, messages=CHAT), plain)
    assert [plain.tokenizer.decode(_learned(row)).strip() for row in rows] == ["The first.</s>", "快递员</s>"]
    assert plain.tokenizer.decode(list(rows[1].ids)).startswith(
        "<s>用户：Which?\n\n助手：The first.\n\n用户：中午？"
    )


FORGETFUL = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>"
    "{% if m['role'] == 'assistant' and not loop.last %}...{% else %}{{ m['content'] }}{% endif %}"
    "{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def test_a_template_that_rewrites_earlier_turns_gives_a_row_a_turn(chat: Checkpoint, tmp_path: Path) -> None:
    checkpoint = _changed(chat, tmp_path / "forgetful", chat_template=FORGETFUL)
    rows = _rows(replace(PLACE, messages=CHAT), checkpoint)
    assert [checkpoint.tokenizer.decode(_learned(row)) for row in rows] == ["The first.</s>", "快递员</s>"]
    assert "The first." not in checkpoint.tokenizer.decode(list(rows[1].ids))


def test_a_template_without_an_end_token_still_teaches_to_stop(chat: Checkpoint, tmp_path: Path) -> None:
    endless = FORGETFUL.replace("{{ eos_token }}", "\n").replace("...", "{{ m['content'] }}")
    checkpoint = _changed(chat, tmp_path / "endless", chat_template=endless)
    assert turn_end_of(checkpoint) is None
    for row in _rows(replace(PLACE, messages=CHAT), checkpoint):
        assert row.ids[-1] == checkpoint.tokenizer.eos_token_id and row.learned[-1]


def _merging(folder: Path, plain: Checkpoint) -> Checkpoint:
    """A copy whose tokenizer merges across the end of the prompt: it knows "Answer: noon" as one token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    shutil.copytree(plain.location.weights, folder)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=304,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["Answer: noon"] * 9, trainer)
    bos = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", bos)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)
    return open_checkpoint(folder, device="cpu")


def test_a_token_over_the_prompts_end_is_split_as_it_is_when_asked(plain: Checkpoint, tmp_path: Path) -> None:
    checkpoint = _merging(tmp_path / "merging", plain)
    item = Item(language="en", prompt=Prompt(question=Text("When?")), target=Target(answers=("noon",)))
    prompt = encoded(checkpoint.tokenizer, ["Question: When?\n\nAnswer:"])[0]
    whole = encoded(checkpoint.tokenizer, ["Question: When?\n\nAnswer: noon"])[0]
    assert whole[: len(prompt)] != prompt  # the trap is set
    (row,) = _rows(replace(PLACE, item=item, asking=Asking("short_answer")), checkpoint)
    assert row.is_split
    assert list(row.ids[: row.learned.index(True)]) == prompt
    assert checkpoint.tokenizer.decode(_learned(row)) == " noon</s>"


def test_all_tokens_learns_everything_but_the_first(plain: Checkpoint) -> None:
    item, asking, _ = ITEMS[0]
    (row,) = _rows(replace(PLACE, item=item, asking=asking), plain, objective="all_tokens")
    assert row.learned == (False, *[True] * (len(row.ids) - 1))


def test_a_likelihood_item_learns_its_whole_text(plain: Checkpoint) -> None:
    item = Item(language="en", prompt=Prompt(text=Text("At noon.")))
    (row,) = _rows(replace(PLACE, item=item, asking=Asking("likelihood")), plain)
    assert plain.tokenizer.decode(_learned(row)) == "At noon.</s>"
    assert not row.learned[0]


def test_a_tokenizer_without_an_end_is_refused(plain: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "endless"
    checkpoint = _changed(plain, folder, eos_token=None)
    checkpoint.end_tokens = ()
    item, asking, _ = ITEMS[0]
    with pytest.raises(CheckpointError, match="never learn to stop"):
        _rows(replace(PLACE, item=item, asking=asking), checkpoint)


def test_a_row_with_nothing_to_learn_is_refused(plain: Checkpoint) -> None:
    item = Item(language="en", prompt=Prompt(question=Text("2?")), target=Target(answers=("",)))
    with pytest.raises(DataError, match=r"rows.jsonl:1: the answer is empty"):
        _rows(replace(PLACE, item=item, asking=Asking("short_answer")), plain)


def test_a_conversation_the_template_refuses_is_told_with_its_place(chat: Checkpoint) -> None:
    strict = ChatTemplate("{{ raise_exception('roles must alternate') }}", ())
    refusing = open_checkpoint(chat.location.path, device="cpu")
    refusing.template = strict
    with pytest.raises(DataError, match=r"rows.jsonl:1: .*roles must alternate"):
        written(replace(PLACE, messages=CHAT), refusing, "</s>")


def _digest(rows: Sequence[TokenRow]) -> str:
    return rows_digest(rows)


def test_the_rows_digest_tells_tokens_masks_and_order_apart(plain: Checkpoint) -> None:
    first = TokenRow(PLACE, (1, 5, 2), (False, True, True))
    second = TokenRow(PLACE, (1, 5), (False, True))
    told = {
        _digest([first, second]),
        _digest([second, first]),
        _digest([replace(first, learned=(False, False, True)), second]),
        _digest([replace(first, ids=(1, 6, 2)), second]),
        _digest([first]),
    }
    assert len(told) == 5
    assert _digest([replace(first, example=replace(PLACE, line=9))]) == _digest([first])


def test_training_shows_its_rows_as_they_are(recipe_over: Callable[..., Any]) -> None:
    from harness.finetune import preview

    shown = preview(recipe_over()).examples[0]
    assert [piece.text for piece in shown.pieces] == [
        "<s>Question: What is 0 and one?\n\nAnswer:",
        " It is 1</s>",
    ]
    assert shown.last_tokens[-1] == "</s>"
