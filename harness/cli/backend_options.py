"""--backend and --backend-args: a model that is not run in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

LOCAL = "local"
# What only the engine in this process can be told.
_ENGINE_ONLY = (
    "dtype", "device", "allow_pickle", "trust_remote_code", "rehash", "cache_place", "batch_tokens", "scoring",
    "verify", "too_long",
    "dry_run", "policy",
)  # fmt: skip


def backend_options(function: F) -> F:
    """The two options."""
    options = (
        click.option(
            "--backend",
            default=LOCAL,
            show_default=True,
            metavar="local|openai|lm-eval:NAME",
            help="What answers: the engine here, an OpenAI-compatible server (CHECKPOINT is the model's name there), "
            "or any model that lm-eval knows (vllm, sglang ...).",
        ),
        click.option(
            "--backend-args",
            multiple=True,
            metavar="NAME=VALUE,...",
            help="For openai: url=http://localhost:8000/v1,api=completions|chat,tokenizer=FOLDER,concurrent=8,"
            "requests_per_minute=...,timeout=120,retries=5,revision=WORD. For lm-eval:NAME: its --model_args.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def refuse_engine_options(context: click.Context, backend: str) -> None:
    """Nothing that was typed may be without effect.

    Raises:
        UsageError: If an option was given that this backend cannot obey.
    """
    typed = [
        option.opts[0]
        for option in context.command.params
        if option.name in _ENGINE_ONLY
        and context.get_parameter_source(str(option.name)) == click.core.ParameterSource.COMMANDLINE
    ]
    if typed:
        raise click.UsageError(
            f"{', '.join(typed)}: only for the engine in this process; --backend {backend} is told by --backend-args."
        )
