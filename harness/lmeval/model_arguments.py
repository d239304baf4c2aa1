"""The `--model_args` of our model in lm-eval, and the checkpoint they open as lm-eval's `hf` would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UsageError
from harness.core.naming import unknown_name

if TYPE_CHECKING:
    from harness.engine import Checkpoint

# What lm-eval's command always passes and `hf` needs, while the engine plans its batches by tokens.
NOT_NEEDED = frozenset({"batch_size", "max_batch_size", "logits_cache"})
# Settings in generation_config.json that `hf` obeys even when it decodes greedily, with their neutral values.
_CHANGES_GREEDY: Mapping[str, tuple[object, ...]] = {
    "repetition_penalty": (None, 1, 1.0),
    "no_repeat_ngram_size": (None, 0),
    "num_beams": (None, 1),
    "min_new_tokens": (None, 0),
    "suppress_tokens": (None,),
    "bad_words_ids": (None,),
}


@dataclass(frozen=True, slots=True)
class ModelArguments:
    """What `--model_args` may say, in the words of lm-eval's `hf`.

    Args:
        pretrained: Folder or hub id of the checkpoint.
        peft: Folder of a PEFT adapter on top of it.
        dtype: auto (what the checkpoint's config names), float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:N or mps; a GPU that is not there falls back to the CPU, as in `hf`.
        batch_tokens: Tokens in a batch; None: chosen on the device.
        max_length: The context length, where it is not to be the model's own.
        revision: Only `main`.
        trust_remote_code: Run code that came with the checkpoint.
        think_end_token: Only what stands after this text counts as an answer.
        enable_thinking: Passed to the chat template.
        chat_template_args: Passed to the chat template.
    """

    pretrained: str
    peft: str | None = None
    dtype: str = "auto"
    device: str = "auto"
    batch_tokens: int | None = None
    max_length: int | None = None
    revision: str = "main"
    trust_remote_code: bool = False
    think_end_token: str | None = None
    enable_thinking: bool | None = None
    chat_template_args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def template_words(self) -> dict[str, Any]:
        """What the chat template is told besides the messages."""
        told = {} if self.enable_thinking is None else {"enable_thinking": self.enable_thinking}
        return {**self.chat_template_args, **told}


def model_arguments(given: Mapping[str, Any]) -> ModelArguments:
    """The arguments as lm-eval parsed them, checked.

    Raises:
        UnknownName: If one is not known here.
        UsageError: If one is missing or of the wrong kind.

    Example:
        >>> model_arguments({"pretrained": "m", "batch_size": 8, "max_length": 512}).max_length
        512
    """
    known = [each.name for each in fields(ModelArguments)]
    kept = {name: value for name, value in given.items() if name not in NOT_NEEDED and value is not None}
    for name in kept:
        if name not in known:
            raise _not_taken(name, known)
    if not isinstance(kept.get("pretrained"), str):
        raise UsageError("Name the checkpoint: --model_args pretrained=FOLDER_OR_HUB_ID.")
    for name in ("batch_tokens", "max_length"):
        value = kept.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 2):
            raise UsageError(f"--model_args {name}={value}: expected a whole number of tokens, at least 2.")
    marker = kept.get("think_end_token")
    if marker is not None and not isinstance(marker, str):
        raise UsageError(
            f"--model_args think_end_token={marker}: give the text of the token; ids are not read here."
        )
    words = kept.get("chat_template_args")
    if isinstance(words, str):
        kept["chat_template_args"] = _json_object(words)
    return ModelArguments(**kept)


def opened_for(arguments: ModelArguments) -> Checkpoint:
    """The checkpoint, its number format and context length chosen as `hf` chooses them.

    Raises:
        CheckpointError: If it cannot be opened.
        UsageError: If revision or adapter ask for something else than what the folders say.
    """
    from harness.engine import open_checkpoint
    from harness.engine.devices import chosen_dtype

    if str(arguments.revision) != "main" and not Path(arguments.pretrained).expanduser().is_dir():
        raise UsageError(
            f"--model_args revision={arguments.revision}: download it first (hf download {arguments.pretrained} "
            f"--revision {arguments.revision}) and name the folder as pretrained."
        )
    checkpoint = open_checkpoint(
        arguments.peft or arguments.pretrained,
        dtype=arguments.dtype,
        device=_device_there(arguments.device),
        chat_template=False,  # lm-eval renders; what comes here is finished text
        trust_remote_code=arguments.trust_remote_code,
    )
    if arguments.peft is not None:
        _check_base(checkpoint, arguments)
    if arguments.dtype == "auto":
        named = str(getattr(checkpoint.config, "dtype", None) or "float32").removeprefix("torch.")
        checkpoint.dtype = chosen_dtype(named, checkpoint.device)
    if arguments.max_length is not None:
        checkpoint.max_tokens = arguments.max_length
    return checkpoint


def unlike_hf(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Why `hf` may write other greedy text: what its generation obeys in generation_config.json, in sentences."""
    path = checkpoint.location.weights / "generation_config.json"
    if not path.is_file():
        return ()
    from harness.engine.weight_files import read_json

    found = read_json(path)
    return tuple(
        f"generation_config.json sets {name}={found[name]!r}, which lm-eval's hf obeys and this model does not: "
        "generated text may differ."
        for name, neutral in _CHANGES_GREEDY.items()
        if found.get(name) not in neutral
    )


def _not_taken(name: str, known: list[str]) -> UsageError:
    error = unknown_name("argument of the model 'harness'", name, known)
    return UsageError(f"{error} Arguments that only hf takes need --model hf.")


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"--model_args chat_template_args={text}: expected a JSON object: {error}"
        ) from error
    if not isinstance(value, dict):
        raise UsageError(f"--model_args chat_template_args={text}: expected a JSON object.")
    return value


def _device_there(name: str) -> str:
    """`hf` falls back to the CPU where no GPU is there, and lm-eval's command names cuda by itself."""
    import torch

    return "cpu" if name.startswith("cuda") and not torch.cuda.is_available() else name


def _check_base(checkpoint: Checkpoint, arguments: ModelArguments) -> None:
    """The adapter's own base must be the one that was named: the engine opens adapters by their config."""
    from harness.engine.weight_files import ADAPTER_CONFIG, read_json

    named = read_json(checkpoint.location.path / ADAPTER_CONFIG).get("base_model_name_or_path")
    folder = Path(arguments.pretrained).expanduser()
    if folder.is_dir() and folder.resolve() == checkpoint.location.weights.resolve():
        return
    if named != arguments.pretrained:
        raise UsageError(
            f"The adapter {arguments.peft} names its base '{named}', but pretrained={arguments.pretrained}; correct "
            f"one of them ({ADAPTER_CONFIG}: base_model_name_or_path)."
        )
