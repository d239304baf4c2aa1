"""Contexts and continuations are cut where lm-eval cuts them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine import Checkpoint
from harness.engine.tokens import encoded_pairs, end_tokens_of, max_tokens_of, rolling_windows

PAIRS = [
    ("The review is", " positive."),
    ("The review is ", "positive."),
    ("The review is \n ", "positive."),
    ("答案：", "正确的"),
    ("", "The courier left."),
    ("<s>The review is", " negative."),
    (" ", "x"),
    ("", "<s>x"),
    ("Question: A or B?\n\nAnswer:", " A"),
]


@pytest.fixture(scope="module")
def stock(tiny_checkpoint: Path) -> Any:
    """lm-eval's own wrapper of the tiny checkpoint."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(tiny_checkpoint), device="cpu", dtype="float32", batch_size=3)


def _stock_pair(stock: Any, context: str, continuation: str) -> tuple[list[int], list[int]]:
    """What lm-eval would hand to its scorer."""
    caught: list[tuple[list[int], list[int]]] = []
    stand_in = SimpleNamespace(
        tok_encode=stock.tok_encode,
        prefix_token_id=stock.prefix_token_id,
        _encode_pair=stock._encode_pair,
        _loglikelihood_tokens=lambda requests, **_: caught.append(requests[0][1:]),
    )
    from lm_eval.api.model import TemplateLM

    TemplateLM.loglikelihood(stand_in, [SimpleNamespace(args=(context, continuation))], disable_tqdm=True)
    return caught[0]


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
def test_pairs_are_cut_as_in_lm_eval(tiny: Checkpoint, stock: Any, pair: tuple[str, str]) -> None:
    assert encoded_pairs(tiny.tokenizer, [pair]) == [_stock_pair(stock, *pair)]


@pytest.mark.slow
def test_the_context_length_is_lm_evals(tiny: Checkpoint, stock: Any) -> None:
    assert tiny.max_tokens == stock.max_length == 512


def test_pairs_encoded_together_are_as_alone(tiny: Checkpoint) -> None:
    alone = [encoded_pairs(tiny.tokenizer, [pair])[0] for pair in PAIRS]
    assert encoded_pairs(tiny.tokenizer, PAIRS) == alone


@given(st.lists(st.integers(5, 99), max_size=40), st.integers(1, 12))
def test_windows_are_those_of_lm_eval(tokens: list[int], limit: int) -> None:
    from lm_eval.utils import get_rolling_token_windows

    theirs = get_rolling_token_windows(tokens, prefix_token=0, max_seq_len=limit, context_len=1)
    assert [(list(read), list(wanted)) for read, wanted in rolling_windows(tokens, 0, limit)] == list(theirs)


@given(st.lists(st.integers(5, 99), min_size=1, max_size=40), st.integers(1, 12))
def test_windows_predict_each_token_once_with_or_without_a_prefix(tokens: list[int], limit: int) -> None:
    assert [token for _, wanted in rolling_windows(tokens, 0, limit) for token in wanted] == tokens
    assert [token for _, wanted in rolling_windows(tokens, None, limit) for token in wanted] == tokens[1:]


def test_the_context_length_is_the_text_models_then_the_tokenizers() -> None:
    unbounded = SimpleNamespace(model_max_length=10**30)
    text = SimpleNamespace(text_config=SimpleNamespace(n_positions=64), max_position_embeddings=9)
    assert max_tokens_of(text, unbounded) == 64
    assert max_tokens_of(SimpleNamespace(), SimpleNamespace(model_max_length=77)) == 77
    assert max_tokens_of(SimpleNamespace(), unbounded) == 2048


def test_every_token_that_ends_an_answer_is_known(tiny: Checkpoint) -> None:
    eos, pad = tiny.tokenizer.eos_token_id, tiny.tokenizer.pad_token_id
    assert end_tokens_of(tiny.tokenizer, {}) == (eos,)
    assert end_tokens_of(tiny.tokenizer, {"eos_token_id": [pad, eos]}) == tuple(sorted((pad, eos)))
    assert end_tokens_of(tiny.tokenizer, {"eos_token_id": pad}) == tuple(sorted((pad, eos)))
    assert set(end_tokens_of(tiny.tokenizer, {}, turn_end="<pad>\n")) == {eos, pad}
    assert end_tokens_of(tiny.tokenizer, {}, turn_end="plain text") == (eos,)
