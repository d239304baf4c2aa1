"""The demo's tokenizer: byte-level BPE learned from the world's own text.

Digits and Chinese characters stand alone before merging, so that a word is cut the same way wherever it occurs
and can be copied. No token is put before a text; padding, end and beginning are three tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.core.rng import rng_for
from harness.demo.rows import asked, training_row
from harness.demo.world import items
from harness.demo.world.lexicon import LANGUAGES, all_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY = 2048
CONTEXT_TOKENS = 512
WORD_REPEATS = 150  # enough for a rare word to be worth a token of its own
PAD, BOS, EOS = "<pad>", "<s>", "</s>"


def _lines(seed: int, n_rows: int) -> Iterator[str]:
    """Text of every family and domain, the fine-tuning domains included: they need words, not examples."""
    rng = rng_for(seed, "tokenizer")
    for _ in range(n_rows):
        for shown in training_row(rng):
            yield shown.prompt + shown.answer
    for item in items("key_facts", n=n_rows // 4, seed=seed, split="treatment"):
        shown = asked(item)
        yield shown.prompt + shown.answer
    for language in LANGUAGES:
        for word in all_words(language):
            yield f" {word}" * WORD_REPEATS if language == "en" else word * WORD_REPEATS


def train_tokenizer(*, seed: int, n_rows: int = 8000) -> PreTrainedTokenizerFast:
    """Learns the tokenizer; the same seed gives the same one."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{Han}|[，。？！、：]"), behavior="isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_lines(seed, n_rows), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        model_max_length=CONTEXT_TOKENS,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
