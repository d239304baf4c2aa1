"""Everything an answer of a checkpoint depends on: what a cache of answers must know to be right.

Batch size and device number are left out: they move a log-likelihood by less than the engine's tolerance.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import assert_never

from harness.core.exchange import Choose, Generate, Request, ScoreText
from harness.engine.checkpoint import Checkpoint
from harness.engine.planning import TooLong

ANSWERING_VERSION = 1  # raise when the engine may answer an equal request beyond its tolerance otherwise
PACKAGES = ("torch", "transformers", "tokenizers", "peft")  # a release may choose another attention kernel


def answering_identity(
    checkpoint: Checkpoint, *, too_long: TooLong, scoring: str = "auto"
) -> dict[str, object]:
    """What answers, as far as it decides the answers; JSON-able, and known before the weights are loaded.

    The chat template is not in it, only what follows from it: prompts as it renders them are in
    `asked_content`, the tokens that end a turn are here.

    Args:
        checkpoint: An open checkpoint.
        too_long: Policy for long prompts; only one that cuts changes an answer.
        scoring: The way of scoring that was asked for.
    """
    identity = checkpoint.identity
    return {
        "kind": "local",
        "version": ANSWERING_VERSION,
        "weights": identity.weights,
        "adapter": identity.adapter,
        "tokenizer": identity.tokenizer,
        "end_tokens": list(checkpoint.end_tokens),
        "max_tokens": checkpoint.max_tokens,
        "dtype": str(checkpoint.dtype),
        "scoring": scoring,
        "device": checkpoint.device.type,
        "cuts": None if too_long in ("fail", "skip") else too_long,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def asked_content(checkpoint: Checkpoint, request: Request) -> list[object]:
    """What is asked, as the model reads it; without the request's id, unless the answer depends on it.

    The noise of a sampled generation is named by seed and request id (`engine.sampling`), so those belong to
    it. A greedy one has no noise: equal prompts have equal answers under any seed.
    """
    match request:
        case Choose(_, prompt, options):
            return ["choose", checkpoint.render(prompt), checkpoint.joiner(prompt), list(options)]
        case ScoreText(_, text):
            return ["score", text]
        case Generate(request_id, prompt, settings, n):
            limits = [settings.max_tokens, list(settings.stop), n]
            noise: list[object] = []
            if settings.temperature > 0:
                noise = [settings.temperature, settings.top_p, settings.seed, request_id]
            return ["generate", checkpoint.render(prompt), limits, noise]
        case _:
            assert_never(request)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
