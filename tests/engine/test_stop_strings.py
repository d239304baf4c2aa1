"""A text ends at the first token after which it holds a stop string, however that string is cut into tokens."""

from __future__ import annotations

from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.exchange import Generate, Generation, GenerationSettings
from harness.core.rng import rng_for
from harness.engine import Checkpoint
from harness.engine.planning import Opening
from harness.engine.stop_strings import Endings
from harness.engine.writing import Writing

TEXTS = st.text(alphabet="ab \nA：。快递员是é😀.", max_size=14)
STOPS = st.lists(st.text(alphabet="ab \n：。快是é😀", min_size=1, max_size=3), min_size=1, max_size=3)


def _endings(tokenizer: Any, *, ends: tuple[int, ...] = ()) -> Endings:
    return Endings(cast(Checkpoint, SimpleNamespace(tokenizer=tokenizer, end_tokens=ends)))


def _writing(stops: list[str], limit: int = 1000) -> Writing:
    settings = GenerationSettings(max_tokens=limit, stop=tuple(stops))
    return Writing(Opening(Generate("g", "", settings), array("i", [1]), limit), 0)


def _taken(tokenizer: Any, tokens: list[int], stops: list[str]) -> Writing:
    endings, writing = _endings(tokenizer), _writing(stops)
    for token in tokens:
        endings.take(writing, token)
        if writing.is_done:
            break
    return writing


def _brute_force(tokenizer: Any, tokens: list[int], stops: list[str]) -> int:
    """How many tokens there are when the whole text, decoded anew after each token, first holds a stop string."""
    for count in range(1, len(tokens) + 1):
        text = tokenizer.decode(tokens[:count], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if any(stop in text for stop in stops):
            return count
    return len(tokens)


@given(text=TEXTS, stops=STOPS)
def test_a_stop_string_is_seen_when_decoding_everything_anew_would_show_it(
    tiny: Checkpoint, text: str, stops: list[str]
) -> None:
    tokens = tiny.tokenizer(text, add_special_tokens=False)["input_ids"]
    writing = _taken(tiny.tokenizer, tokens, stops)
    assert len(writing.tokens) == _brute_force(tiny.tokenizer, tokens, stops)


@given(ids=st.lists(st.integers(0, 303), max_size=12), stops=STOPS)
def test_any_tokens_even_broken_characters_and_special_ones_end_where_brute_force_says(
    tiny: Checkpoint, ids: list[int], stops: list[str]
) -> None:
    tokens = [token % len(tiny.tokenizer) for token in ids]
    assert len(_taken(tiny.tokenizer, tokens, stops).tokens) == _brute_force(tiny.tokenizer, tokens, stops)


@pytest.mark.shared
def test_a_real_tokenizer_ends_texts_where_brute_force_says(shared_dir: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(shared_dir / "models" / "stories260K")
    rng = rng_for(0, "real tokens")
    for stops in ([". "], ["\n\n", "é"], ["a b", " "], ["快", "he "], ["ed"]):
        for _ in range(20):
            tokens = [rng.integer(len(tokenizer)) for _ in range(15)]
            assert len(_taken(tokenizer, tokens, stops).tokens) == _brute_force(tokenizer, tokens, stops)


def test_a_character_split_over_tokens_completes_a_stop_string(tiny: Checkpoint) -> None:
    tokens = tiny.tokenizer("好坏。", add_special_tokens=False)["input_ids"]
    assert len(tokens) > len("好坏。")  # the tiny vocabulary has no token for these characters
    writing = _taken(tiny.tokenizer, tokens, ["坏"])
    assert writing.finish == "stop"
    result = _endings(tiny.tokenizer).result(writing).result
    assert isinstance(result, Generation) and result.text == "好"


def _pieces(vocabulary: list[str], decoder: Any) -> Any:
    """A tokenizer of whole pieces, joined by a decoder that changes a text by what stands before a token."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    model = models.WordLevel(
        {piece: index for index, piece in enumerate(vocabulary)}, unk_token=vocabulary[0]
    )
    tokenizer = Tokenizer(model)
    tokenizer.decoder = decoder
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def test_a_space_that_only_stands_in_mid_text_completes_a_stop_string() -> None:
    from tokenizers import decoders

    metaspace = _pieces(["▁a", "▁b", "c", "."], decoders.Metaspace())
    assert metaspace.decode([0]) == "a"  # alone, the token brings no space
    assert len(_taken(metaspace, [2, 3, 0, 1], [". "]).tokens) == 3
    words = _pieces(["a", "b", "##c", "."], decoders.WordPiece(cleanup=False))
    assert len(_taken(words, [0, 2, 1, 1], ["c "]).tokens) == 3


def test_bytes_that_make_one_character_complete_a_stop_string() -> None:
    from tokenizers import decoders

    fallback = _pieces(
        ["a", "<0xE5>", "<0xBF>", "<0xAB>", "b"],
        decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()]),
    )
    assert fallback.decode([1, 2, 3]) == "快"
    assert len(_taken(fallback, [0, 1, 2, 3, 4], ["快"]).tokens) == 4
    assert len(_taken(fallback, [0, 1, 2, 3, 4], ["a快"]).tokens) == 4


def test_the_tail_is_decoded_only_after_a_token_that_may_complete_a_stop_string(tiny: Checkpoint) -> None:
    decoded: list[int] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(tiny.tokenizer, name)

        def __len__(self) -> int:
            return len(tiny.tokenizer)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return tiny.tokenizer(*args, **kwargs)

        def decode(self, tokens: list[int], **kwargs: Any) -> Any:
            decoded.append(len(tokens))
            return tiny.tokenizer.decode(tokens, **kwargs)

    [quiet, loud] = tiny.tokenizer("xz", add_special_tokens=False)["input_ids"]
    endings, writing = _endings(Counting()), _writing(["\n\nz"])
    endings.take(writing, quiet)
    endings.take(writing, loud)
    decoded.clear()
    for _ in range(200):
        endings.take(writing, quiet)
    assert decoded == []
    endings.take(writing, loud)
    assert len(decoded) == 1 and decoded[0] < 20


def test_an_end_token_comes_before_a_stop_string_and_that_before_the_limit(tiny: Checkpoint) -> None:
    [token] = tiny.tokenizer("x", add_special_tokens=False)["input_ids"]
    found = []
    for ends, stops in (((token,), ["x"]), ((), ["x"]), ((), ["y"])):
        writing = _writing(stops, limit=1)
        _endings(tiny.tokenizer, ends=ends).take(writing, token)
        found.append(writing.finish)
    assert found == ["eos", "stop", "length"]
