"""From `--backend NAME --backend-args ...` to a backend, with the record that stands for its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.backends.served import open_served
from harness.backends.server_settings import arguments_of, server_settings
from harness.core.errors import UsageError
from harness.core.exchange import Backend
from harness.core.naming import unknown_name
from harness.store import CheckpointRecord

LOCAL = "local"
SERVED = "openai"
LM_EVAL = "lm-eval:"


@dataclass(frozen=True, slots=True)
class Opened:
    """A backend that is not the engine in this process.

    Args:
        backend: What answers.
        record: What the manifest says of the checkpoint: no digest of weights, for nobody here saw them.
    """

    backend: Backend
    record: CheckpointRecord


def open_backend(
    kind: str, model: str, arguments: Sequence[str] = (), *, chat_template: bool | None = None
) -> Opened:
    """Opens a backend by its name on the command line.

    Args:
        kind: `openai` for an OpenAI-compatible server, or `lm-eval:NAME` for a model that lm-eval knows.
        model: The model's name at the server, or its folder or hub id.
        arguments: `NAME=VALUE,...` texts.
        chat_template: Whether a chat template is applied; None: the backend's own default.

    Raises:
        UnknownName: If there is no such backend, or the server does not know the model.
        UsageError: If an argument is wrong.
        BackendError: If no server answers.
    """
    if kind == SERVED:
        settings = server_settings(arguments_of(tuple(arguments)))
        served = open_served(model, settings, chat_template=chat_template)
        return Opened(served, CheckpointRecord(served.checkpoint, model))
    if kind.startswith(LM_EVAL):
        from harness.lmeval.model_backend import lm_eval_backend

        named = kind.removeprefix(LM_EVAL)
        own = lm_eval_backend(named, model, ",".join(arguments), chat_template=chat_template)
        return Opened(own, CheckpointRecord(own.checkpoint, own.shown_name))
    if kind == LOCAL:
        raise UsageError("The backend 'local' is the engine itself and takes no --backend-args.")
    raise unknown_name("backend", kind, (LOCAL, SERVED, f"{LM_EVAL}NAME"))
