"""What a server says of the model it serves, asked before anything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.backends.http_calls import HttpCalls
from harness.backends.server_settings import ServerSettings
from harness.core.errors import BackendError, UsageError
from harness.core.exchange import BackendFailure
from harness.core.naming import unknown_name


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as its server tells of it.

    Args:
        name: What it is asked by.
        reported: What `/models` says of it and does not change from call to call.
        max_length: Its context length in tokens, where known.
    """

    name: str
    reported: tuple[tuple[str, Any], ...] = ()
    max_length: int | None = None


def served_model(name: str, settings: ServerSettings, calls: HttpCalls) -> ServedModel:
    """The model's entry in `/models`; a server without such a list is taken at the user's word.

    Raises:
        BackendError: If no server answers there.
        UsageError: If it refuses the key or does not know the model.
    """
    reply = calls.call("/models")
    if isinstance(reply, BackendFailure):
        if "HTTP 401" in reply.message or "HTTP 403" in reply.message:
            raise UsageError(
                f"The server refuses the key: {reply.message} Put it into the environment variable "
                f"{settings.key_env}."
            )
        if "HTTP 404" in reply.message or "HTTP 405" in reply.message or "HTTP 501" in reply.message:
            return ServedModel(name, max_length=settings.max_length)
        raise BackendError(
            f"No answer from {settings.url}: {reply.message} Start the server, or correct --backend-args url=..."
        )
    entries = reply.get("data")
    listed = {
        str(entry["id"]): entry
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping) and "id" in entry
    }
    if not listed:
        return ServedModel(name, max_length=settings.max_length)
    if name not in listed:
        raise unknown_name(f"model at {settings.url}", name, listed)
    entry = listed[name]
    length = entry.get("max_model_len")
    # `created` is the time of the call with some servers.
    reported = {key: entry[key] for key in ("root", "parent", "owned_by", "max_model_len") if key in entry}
    return ServedModel(
        name,
        tuple(sorted(reported.items())),
        settings.max_length or (length if isinstance(length, int) else None),
    )
