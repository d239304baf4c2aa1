"""The tiny checkpoints are what the other tests take them for."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_a_tiny_checkpoint_is_safetensors_with_distinct_special_tokens(tiny_checkpoint: Path) -> None:
    from transformers import AutoTokenizer

    assert (tiny_checkpoint / "model.safetensors").is_file()
    assert not list(tiny_checkpoint.glob("*.bin"))
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    assert len({tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}) == 3
    assert tokenizer.chat_template is None


@pytest.mark.parametrize("text", ["The parcel is at noon.", "快递员把包裹交给邻居。", "naïve 🙂\n\ttab"])
def test_a_tiny_tokenizer_gives_every_text_back_after_one_bos(tiny_checkpoint: Path, text: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    ids = tokenizer(text)["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    assert ids.count(tokenizer.bos_token_id) == 1
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_a_tiny_model_answers_differently_to_different_texts(tiny_checkpoint: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    model = AutoModelForCausalLM.from_pretrained(tiny_checkpoint)
    with torch.no_grad():
        rows = [model(**tokenizer(text, return_tensors="pt")).logits[0, -1] for text in ("left", "right")]
    assert (rows[0] - rows[1]).abs().max() > 1e-2


def test_a_tiny_chat_template_writes_today(tiny_chat_checkpoint: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_chat_checkpoint)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True
    )
    assert text.startswith("<s><|system|>Today is 20")
    assert text.endswith("<|user|>Hello\n<|assistant|>")
