"""What a checkpoint is: digests of weights, adapter, tokenizer and chat template; never its path or name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.digest import digest
from harness.engine.file_digests import file_digests
from harness.engine.locate import Location
from harness.engine.weight_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    CONFIG,
    n_parameters,
    read_json,
    weight_files,
)

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tekken.json",
    "added_tokens.json",
    "special_tokens_map.json",
)
TOKENIZER_CONFIG = "tokenizer_config.json"
# Where something was saved, by which version, and the template, which has a digest of its own.
_INCIDENTAL = ("_name_or_path", "name_or_path", "transformers_version", "chat_template")
_INCIDENTAL_TO_ADAPTER = ("base_model_name_or_path", "revision", "peft_version")


@dataclass(frozen=True, slots=True)
class CheckpointIdentity:
    """A checkpoint's digests, and what people call it.

    Args:
        digest: Over weights, adapter, tokenizer, template and end tokens: the identity.
        name: Folder name or hub id, for people.
        path: Where it was read from, for people.
        weights: Digest of the weight files and their config.
        adapter: Digest of the adapter, None without one.
        tokenizer: Digest of the tokenizer's files.
        template: Digest of the chat template, None without one.
        n_parameters: Numbers stored, adapter included; None for pickled weights.
        architecture: Class named by the config.
    """

    digest: str
    name: str
    path: str
    weights: str
    adapter: str | None
    tokenizer: str
    template: str | None
    n_parameters: int | None
    architecture: str


def identity_of(
    location: Location,
    *,
    tokenizer_folder: Path,
    template: str | None,
    end_tokens: Sequence[int],
    allow_pickle: bool = False,
    rehash: bool = False,
) -> CheckpointIdentity:
    """The identity of a checkpoint whose files are whole.

    Args:
        location: Where it lies.
        tokenizer_folder: The folder its tokenizer was read from.
        template: The text of its chat template, if any.
        end_tokens: Token ids that end a generation; they change what it writes.
        allow_pickle: Whether pickled weights may be used.
        rehash: Read every file again, whatever is remembered.

    Raises:
        CheckpointError: If a weight file is missing, cut short or pickled.
    """
    files = weight_files(location.weights, allow_pickle=allow_pickle)
    config = read_json(location.weights / CONFIG)
    weights = digest("weights/1", file_digests(files, rehash=rehash), _without(config, _INCIDENTAL))
    adapter, adapter_files = _adapter(location, allow_pickle=allow_pickle, rehash=rehash)
    tokenizer = tokenizer_digest(tokenizer_folder, rehash=rehash)
    template_digest = None if template is None else digest("template/1", template)
    stored = (n_parameters(files), n_parameters(adapter_files))
    architectures = config.get("architectures") or [config.get("model_type", "unknown")]
    return CheckpointIdentity(
        digest=digest("checkpoint/1", weights, adapter, tokenizer, template_digest, sorted(end_tokens)),
        name=location.name,
        path=str(location.path),
        weights=weights,
        adapter=adapter,
        tokenizer=tokenizer,
        template=template_digest,
        n_parameters=None if stored[0] is None or stored[1] is None else stored[0] + stored[1],
        architecture=str(architectures[0]),
    )


def tokenizer_digest(folder: Path, *, rehash: bool = False) -> str:
    """Digest of a tokenizer's files, its chat template left out."""
    files = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    named = [[path.name, sha] for path, sha in zip(files, file_digests(files, rehash=rehash), strict=True)]
    config = folder / TOKENIZER_CONFIG
    settings = _without(read_json(config), _INCIDENTAL) if config.is_file() else {}
    return digest("tokenizer/1", named, settings)


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a tokenizer."""
    vocabularies = TOKENIZER_FILES[:-2]  # the last two only add to a vocabulary
    return any((folder / name).is_file() for name in vocabularies)


def _adapter(location: Location, *, allow_pickle: bool, rehash: bool) -> tuple[str | None, tuple[Path, ...]]:
    if location.adapter is None:
        return None, ()
    files = weight_files(location.adapter, single=ADAPTER_WEIGHTS, allow_pickle=allow_pickle)
    config = _without(read_json(location.adapter / ADAPTER_CONFIG), _INCIDENTAL_TO_ADAPTER)
    return digest("adapter/1", file_digests(files, rehash=rehash), config), files


def _without(record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}
