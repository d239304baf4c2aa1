"""lm-eval's own command with our engine among its models."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

MODEL = "harness"
_TARGET = "harness.lmeval.engine_model:EngineModel"


def register() -> None:
    """Makes `--model harness` known to lm-eval in this process; nothing heavy is loaded before it is used."""
    import lm_eval.models  # noqa: F401 - fills the registry with lm-eval's own models
    from lm_eval.api.registry import model_registry

    if MODEL not in model_registry:
        model_registry.register(MODEL, target=_TARGET)


def run_lm_eval(arguments: Sequence[str]) -> None:
    """lm-eval's command line with these arguments; where no model is named, it is ours instead of `hf`.

    Leaves as lm-eval's command leaves: its SystemExit and its errors pass through.

    Args:
        arguments: Everything that would follow `lm_eval`.

    Raises:
        HarnessError: If the model `harness` is asked for something it cannot do.
    """
    from lm_eval._cli import HarnessCLI
    from lm_eval.utils import setup_logging

    register()
    setup_logging()
    with _called_with(arguments):
        parser = HarnessCLI()
        parsed = parser.parse_args()
        if getattr(parsed, "command", None) == "run" and not _names_a_model(parsed):
            parsed.model = MODEL
        parser.execute(parsed)


def _names_a_model(parsed: Any) -> bool:
    from lm_eval.config.evaluate_config import EvaluatorConfig

    if parsed.model:
        return True
    return bool(parsed.config) and bool(EvaluatorConfig.load_yaml_config(parsed.config).get("model"))


@contextmanager
def _called_with(arguments: Sequence[str]) -> Iterator[None]:
    """lm-eval reads, and changes, the process's own argument list."""
    before = sys.argv
    sys.argv = ["lm-eval", *arguments]
    try:
        yield
    finally:
        sys.argv = before
