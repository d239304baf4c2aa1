"""Loads tokenizer, config and model through Transformers and PEFT, turning their errors into ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import CheckpointError
from harness.engine.identity import has_tokenizer
from harness.engine.locate import Location
from harness.engine.weight_files import CONFIG, read_json

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_WEIGHTS_SHARE = 0.85  # of a GPU's free memory; the rest is for what a pass takes


def tokenizer_folder(location: Location) -> Path:
    """The adapter's folder where it brings a tokenizer, else the base's.

    Raises:
        CheckpointError: If neither has one.
    """
    for folder in (location.adapter, location.weights):
        if folder is not None and has_tokenizer(folder):
            return folder
    raise CheckpointError(
        f"{location.weights} holds no tokenizer (tokenizer.json, tokenizer.model, vocab.json or vocab.txt). "
        "Copy the tokenizer's files of the model it was trained from."
    )


def load_tokenizer(folder: Path, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder.

    Raises:
        CheckpointError: If its files are damaged, or it wants code of its own.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=trust_remote_code, local_files_only=True
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError) as exc:
        raise _cannot_load("tokenizer", folder, exc) from exc
    return tokenizer


def load_config(location: Location, *, trust_remote_code: bool = False) -> PreTrainedConfig:
    """The config of a decoder-only language model.

    Raises:
        CheckpointError: If it wants code of its own, or is of another kind of model.
    """
    from transformers import AutoConfig

    folder = location.weights
    record = read_json(folder / CONFIG)
    if not isinstance(record.get("model_type"), str):
        raise CheckpointError(
            f"{folder / CONFIG}: model_type: expected a name, got {record.get('model_type')!r}."
        )
    try:
        config = AutoConfig.from_pretrained(
            str(folder), trust_remote_code=trust_remote_code, local_files_only=True
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError) as exc:
        raise _cannot_load("config", folder, exc) from exc
    if getattr(config, "is_encoder_decoder", False):
        raise CheckpointError(
            f"{folder} is an encoder-decoder model ({config.model_type}); only decoder-only language "
            "models are scored."
        )
    return config


def load_model(
    location: Location,
    config: PreTrainedConfig,
    *,
    dtype: torch.dtype,
    device: torch.device,
    allow_pickle: bool = False,
    trust_remote_code: bool = False,
    n_parameters: int | None = None,
) -> Any:
    """The model in evaluation mode on its device, adapter included; over all GPUs where one is too small for it.

    Raises:
        CheckpointError: If weights are missing or do not fit the config, or the device has no room for them.
    """
    from transformers import AutoModelForCausalLM

    spread = is_spread(device, None if n_parameters is None else n_parameters * dtype.itemsize)
    try:
        with no_progress_bar():
            model, info = AutoModelForCausalLM.from_pretrained(
                str(location.weights),
                config=config,
                dtype=dtype,
                use_safetensors=None if allow_pickle else True,
                trust_remote_code=trust_remote_code,
                local_files_only=True,
                output_loading_info=True,
                **({"device_map": "auto"} if spread else {}),
            )
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError) as exc:
        raise _cannot_load("weights", location.weights, exc) from exc
    _refuse_missing(location.weights, sorted(info["missing_keys"]))
    try:
        if location.adapter is not None:
            model = _with_adapter(model, location.adapter)
        if not spread:
            model = model.to(device)
    except RuntimeError as exc:
        raise _cannot_load("weights", location.path, exc) from exc
    return model.eval()


def is_spread(device: torch.device, n_bytes: int | None) -> bool:
    """Whether a model's layers must lie on several GPUs: none was named, and one has no room for the weights.

    Example:
        >>> import torch
        >>> is_spread(torch.device("cpu"), 1 << 60)
        False
    """
    import torch

    if device.type != "cuda" or device.index is not None or n_bytes is None or torch.cuda.device_count() < 2:
        return False
    free: int = torch.cuda.mem_get_info(0)[0]
    return n_bytes > free * _WEIGHTS_SHARE


def _refuse_missing(folder: Path, names: list[str]) -> None:
    """Transformers fills absent tensors with random numbers and goes on; a score of those means nothing."""
    if names:
        raise CheckpointError(
            f"{folder}: the weight files lack {len(names)} tensor(s) that the config asks for, the first is "
            f"{names[0]}. Copy the weights again, or correct {CONFIG}."
        )


def _with_adapter(model: PreTrainedModel, folder: Path) -> Any:
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Found missing adapter keys")
            return PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, UserWarning) as exc:
        raise CheckpointError(
            f"The adapter {folder} does not fit its base: {_first_line(exc)} Check base_model_name_or_path."
        ) from exc


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Loading shows no bar of its own between those of a run."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _cannot_load(part: str, folder: Path, exc: Exception) -> CheckpointError:
    if "trust_remote_code" in str(exc):
        return CheckpointError(
            f"The {part} of {folder} wants to run code that came with it, which is off. If you trust "
            "its maker, "
            "pass --trust-remote-code (trust_remote_code=True)."
        )
    return CheckpointError(f"The {part} of {folder} cannot be loaded: {_first_line(exc)}")


def _first_line(exc: BaseException) -> str:
    lines = str(exc).strip().splitlines()
    text = lines[0] if lines else type(exc).__name__
    return text if text.endswith(".") else f"{text}."
