"""What an answer depends on is in its identity or its content, and nothing that it does not depend on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.exchange import Choose, Conversation, Generate, GenerationSettings, Message, ScoreText
from harness.engine import Checkpoint, open_checkpoint
from harness.engine.answering import answering_identity, asked_content

CONVERSATION = Conversation((Message("user", "Why?"),), "Answer:", " ")
SAMPLED = GenerationSettings(temperature=0.5, seed=1)


def identity(path: Path, **options: str) -> dict[str, object]:
    return answering_identity(open_checkpoint(path, device="cpu", **options), too_long="fail")  # type: ignore[arg-type]


def other_weight(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(data))


def other_config(folder: Path) -> None:
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | {"rms_norm_eps": 0.1}))


def other_tokenizer(folder: Path) -> None:
    record = json.loads((folder / "tokenizer.json").read_text())
    record["model"]["merges"].pop()
    (folder / "tokenizer.json").write_text(json.dumps(record))


def other_end(folder: Path) -> None:
    record = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(record | {"eos_token_id": [2, 7]}))


@pytest.mark.parametrize("change", [other_weight, other_config, other_tokenizer, other_end])
def test_a_changed_file_is_another_identity(
    tiny_checkpoint: Path, copied: Path, change: Callable[[Path], None]
) -> None:
    assert identity(copied) == identity(tiny_checkpoint)  # the place is no part of it
    change(copied)
    assert identity(copied) != identity(tiny_checkpoint)


def test_an_adapter_is_another_identity_than_its_base_and_than_another_adapter(
    adapter: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(adapter, tmp_path / "other"))
    data = bytearray((other / "adapter_model.safetensors").read_bytes())
    data[-1] ^= 1
    (other / "adapter_model.safetensors").write_bytes(bytes(data))
    found = [identity(tmp_path / "base"), identity(adapter), identity(other)]
    assert len({json.dumps(each, sort_keys=True) for each in found}) == 3


def test_dtype_way_of_scoring_and_a_policy_that_cuts_are_in_it(
    tiny: Checkpoint, tiny_checkpoint: Path
) -> None:
    plain = answering_identity(tiny, too_long="fail")
    assert identity(tiny_checkpoint, dtype="bfloat16") != plain
    assert answering_identity(tiny, too_long="truncate-left") != plain
    assert answering_identity(tiny, too_long="fail", scoring="plain") != plain
    # A prompt that does not fit is not answered, so nothing that is kept differs.
    assert answering_identity(tiny, too_long="skip") == plain


def test_the_identity_is_the_same_after_the_weights_are_loaded(tiny_checkpoint: Path) -> None:
    opened = open_checkpoint(tiny_checkpoint, device="cpu")
    before = answering_identity(opened, too_long="fail")
    assert opened.model is not None
    assert answering_identity(opened, too_long="fail") == before


def test_a_prompt_counts_as_the_template_renders_it(tiny: Checkpoint, tiny_chat: Checkpoint) -> None:
    request = Choose("a", CONVERSATION, ("yes", "no"))
    # By hand: contents, cue; the joiner stands before the answer in plain text only.
    assert asked_content(tiny, request) == ["choose", "Why?\n\nAnswer:", " ", ["yes", "no"]]
    assert asked_content(tiny_chat, request)[1:3] == [tiny_chat.render(CONVERSATION), ""]
    rendered = Choose("b", tiny_chat.render(CONVERSATION), ("yes", "no"))
    assert asked_content(tiny_chat, rendered) == asked_content(tiny_chat, request)


def test_a_changed_template_is_other_content(tiny_chat_checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_chat_checkpoint, tmp_path / "copied"))
    file = next(
        path for path in (folder / "chat_template.jinja", folder / "tokenizer_config.json") if path.is_file()
    )
    file.write_text(file.read_text().replace("Today is", "It is now"))
    request = Generate("a", CONVERSATION)
    contents = [
        asked_content(open_checkpoint(path, device="cpu"), request) for path in (tiny_chat_checkpoint, folder)
    ]
    assert contents[0] != contents[1]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (ScoreText("a", "x"), ScoreText("b", "x"), True),
        (ScoreText("a", "x"), ScoreText("a", "y"), False),
        (ScoreText("a", "x"), Generate("a", "x"), False),
        (Choose("a", "x", ("1", "2")), Choose("b", "x", ("1", "2")), True),
        (Choose("a", "x", ("1", "2")), Choose("a", "x", ("2", "1")), False),
        (Choose("a", "x", ("1", "2")), Choose("a", "x 1", ("2",)), False),
        (Generate("a", "x"), Generate("b", "x"), True),
        (Generate("a", "x"), Generate("a", "x", GenerationSettings(seed=9, top_p=0.1)), True),  # greedy
        (Generate("a", "x"), Generate("a", "x", GenerationSettings(max_tokens=9)), False),
        (Generate("a", "x"), Generate("a", "x", GenerationSettings(stop=("\n",))), False),
        (Generate("a", "x"), Generate("a", "x", n=2), False),
        (Generate("a", "x"), Generate("a", "x", SAMPLED), False),
        (Generate("a", "x", SAMPLED), Generate("a", "x", SAMPLED), True),
        (Generate("a", "x", SAMPLED), Generate("b", "x", SAMPLED), False),  # other noise
        (Generate("a", "x", SAMPLED), Generate("a", "x", replace(SAMPLED, seed=2)), False),
        (Generate("a", "x", SAMPLED), Generate("a", "x", replace(SAMPLED, top_p=0.9)), False),
        (Generate("a", "x", SAMPLED), Generate("a", "x", replace(SAMPLED, temperature=0.6)), False),
    ],
)
def test_content_is_equal_exactly_where_the_answer_must_be(
    tiny: Checkpoint, one: Choose, other: Choose, *, equal: bool
) -> None:
    assert (asked_content(tiny, one) == asked_content(tiny, other)) is equal
