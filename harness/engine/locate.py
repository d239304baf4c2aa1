"""From the name a user gives to the folders of a checkpoint: local folder, hub id, or adapter and base."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import CheckpointError
from harness.core.naming import suggestion
from harness.engine.weight_files import ADAPTER_CONFIG, CONFIG, PICKLED, read_json

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.tiktoken")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a checkpoint lies.

    Args:
        name: The hub id, or the folder's own name.
        path: What the user named: the adapter's folder where there is one.
        weights: Folder of the full weights and their config.
        adapter: Folder of the PEFT adapter, if any.
    """

    name: str
    path: Path
    weights: Path
    adapter: Path | None = None


def locate(
    name_or_path: str | Path, *, allow_pickle: bool = False, trust_remote_code: bool = False
) -> Location:
    """Finds the folders of a checkpoint, downloading from the hub where a hub id is given.

    Raises:
        CheckpointError: If there is no such folder or hub repository, or an adapter's base is absent.
    """
    named = str(name_or_path)
    folder = _folder(named, allow_pickle=allow_pickle, trust_remote_code=trust_remote_code)
    name = folder.name if Path(named).expanduser().exists() else named
    if not (folder / ADAPTER_CONFIG).exists():
        if not (folder / CONFIG).exists():
            raise CheckpointError(
                f"{folder} is no checkpoint: neither {CONFIG} nor {ADAPTER_CONFIG} is in "
                f"it{_inner_hint(folder)}"
            )
        return Location(name, folder, folder)
    base = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise CheckpointError(
            f"{folder / ADAPTER_CONFIG}: base_model_name_or_path: expected the base's folder or hub "
            f"id, got {base!r}."
        )
    beside = (folder / Path(base).expanduser()).resolve()
    try:
        weights = _folder(
            str(beside) if beside.is_dir() else base,
            allow_pickle=allow_pickle,
            trust_remote_code=trust_remote_code,
        )
    except CheckpointError as exc:
        raise CheckpointError(
            f"The adapter {folder} needs its base '{base}', which is absent: {exc} Put the base there, "
            "or correct "
            f"base_model_name_or_path in {ADAPTER_CONFIG}."
        ) from exc
    if not (weights / CONFIG).exists():
        raise CheckpointError(
            f"The adapter {folder} needs its base '{base}', but {weights} holds no {CONFIG}."
        )
    return Location(name, folder, weights, folder)


def _folder(named: str, *, allow_pickle: bool, trust_remote_code: bool) -> Path:
    path = Path(named).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.exists():
        raise CheckpointError(
            f"{named} is a file; name the folder that holds the checkpoint ({path.parent})."
        )
    if not _HUB_ID.fullmatch(named):
        raise CheckpointError(f"There is no folder {named}.{_near(path)}")
    return _from_hub(named, allow_pickle=allow_pickle, trust_remote_code=trust_remote_code)


def _from_hub(repo_id: str, *, allow_pickle: bool, trust_remote_code: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError

    patterns = [*_HUB_FILES, *(PICKLED if allow_pickle else ()), *(("*.py",) if trust_remote_code else ())]
    try:
        return Path(snapshot_download(repo_id, allow_patterns=patterns))
    except GatedRepoError as exc:
        raise CheckpointError(
            f"The hub's '{repo_id}' is gated: accept its terms on the hub and log in with `hf auth login`."
        ) from exc
    except HFValidationError as exc:
        raise CheckpointError(f"'{repo_id}' is neither a folder here nor a valid hub id ({exc})") from exc
    except (HfHubHTTPError, OSError) as exc:  # the hub's "not in the cache and offline" is an OSError
        reason = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
        raise CheckpointError(
            f"There is no folder '{repo_id}' here, and it could not be had from the hub ({reason})"
            f"{'' if reason.endswith('.') else '.'}{_near(Path(repo_id))} Check the spelling and the "
            "network, "
            "or download it first and name its folder."
        ) from exc


def _near(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f" Its parent {parent} does not exist either."
    return suggestion(path.name, [entry.name for entry in parent.iterdir() if entry.is_dir()])


def _inner_hint(folder: Path) -> str:
    inner = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
    return f". Did you mean its folder '{inner[-1]}'?" if inner else "."
