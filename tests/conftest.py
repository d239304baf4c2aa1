"""Fixtures every test may ask for: the shared folder and tiny checkpoints made from a config."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

# Before any import of a library that reads them once, at its own import.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# The user's own answers are neither used nor added to; a test that wants a cache names a file.
os.environ["HARNESS_RESPONSE_CACHE"] = "off"
# The models of the tests are tiny: a second thread costs more than it brings.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# How long an example takes says more of the machine's other work than of the code.
settings.register_profile("repository", deadline=None)
settings.load_profile("repository")

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

REPOSITORY = Path(__file__).resolve().parent.parent

TOKENIZER_LINES = (
    "The courier left the parcel with the neighbour at noon.",
    "Which of these answers is right: A, B, C or D?",
    "The review is positive. The review is negative.",
    '{"name": "Ada", "city": "London", "age": 36}',
    "快递员中午把包裹交给了邻居。",
    "以下哪个答案是正确的：A、B、C 还是 D？",
    "这条评论是正面的。这条评论是负面的。",
)

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] != 'system' %}<|system|>Today is {{ strftime_now('%Y-%m-%d') }}.\n{% endif %}"
    "{% for message in messages %}"
    "<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def _shared_folder() -> Path:
    """Where real data and checkpoints lie: $HARNESS_SHARED, else `shared` beside the repository."""
    named = os.environ.get("HARNESS_SHARED")
    return Path(named) if named else REPOSITORY.parent / "shared"


def _why_no_shared_folder() -> str | None:
    folder = _shared_folder()
    return None if folder.is_dir() else f"no shared data at {folder}; set HARNESS_SHARED to the folder"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what is marked `shared` where the folder is absent."""
    reason = _why_no_shared_folder()
    if reason is None:
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real data and checkpoints; the test is skipped where it is absent."""
    reason = _why_no_shared_folder()
    if reason is not None:
        pytest.skip(reason)
    return _shared_folder()


def _tiny_tokenizer(*, chat_template: str | None = None) -> PreTrainedTokenizerFast:
    """A byte-level BPE of about 300 tokens that, like Llama's, puts one BOS before every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=304,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TOKENIZER_LINES, trainer)
    bos_id = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", bos_id)]
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", model_max_length=512
    )
    wrapped.chat_template = chat_template
    return wrapped


def _save_tiny_llama(folder: Path, tokenizer: PreTrainedTokenizerFast) -> Path:
    """Saves a random two-layer Llama with its tokenizer: the same bytes every time."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        # Ten times the usual spread, so that two texts differ by far more than rounding.
        initializer_range=0.2,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random two-layer Llama in safetensors and its tokenizer; no chat template.

    Shared by all tests of a session: copy it before changing a file in it.
    """
    return _save_tiny_llama(tmp_path_factory.mktemp("tiny") / "checkpoint", _tiny_tokenizer())


@pytest.fixture(scope="session")
def tiny_chat_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a chat template that writes BOS itself and reads the clock (`strftime_now`)."""
    folder = tmp_path_factory.mktemp("tiny_chat") / "checkpoint"
    return _save_tiny_llama(folder, _tiny_tokenizer(chat_template=CHAT_TEMPLATE))
