"""Whether writing in blocks gives exactly this model's logits, found out by trying on a few random tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from harness.core.errors import CheckpointError
from harness.core.rng import rng_for
from harness.engine.decoding_batch import Attention, next_logits
from harness.engine.forward import accepts, has_prompt_learning, inner_model
from harness.engine.memory import is_out_of_memory
from harness.engine.prefill import read, read_prompts
from harness.engine.text_blocks import Held, block_of
from harness.engine.visible_tokens import attention_windows
from harness.engine.writing import Writing, probe_writing

if TYPE_CHECKING:
    import torch

_SHARED, _OWN, _STEPS = 9, (3, 7, 5), 4
_WINDOW = 6  # shorter than the probe, so that a window that is not kept shows
_ALLOWED = {"float32": 2e-5, "float64": 2e-5, "float16": 5e-3, "bfloat16": 4e-2}  # of the largest logit

# What a model may raise that was not made for such masks, positions or caches.
_UNFIT = (RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError, CheckpointError)

_known: WeakKeyDictionary[Any, Attention | None] = WeakKeyDictionary()


def exact_attention(model: Any) -> Attention | None:
    """With whose attention blocks give the model's own logits; None: only the plain way does.

    The answer is kept for as long as the model lives.
    """
    if model not in _known:
        _known[model] = next((way for way in _ways(model) if _is_exact(model, way)), None)
    return _known[model]


def _ways(model: Any) -> tuple[Attention, ...]:
    if has_prompt_learning(model) or attention_windows(model) is None:
        return ()
    if not all(accepts(model, name) for name in ("position_ids", "past_key_values", "attention_mask")):
        return ()
    return ("own", "model")


def _is_exact(model: Any, attention: Attention) -> bool:
    import torch

    with _narrow_window(model), torch.inference_mode():
        try:
            worst, highest = _largest_difference(model, attention)
        except _UNFIT as error:
            if is_out_of_memory(error):
                raise
            return False
    allowed = _ALLOWED.get(str(model.dtype).removeprefix("torch."), 4e-2)
    return worst <= allowed * max(1.0, highest)  # False where it is not a number


def _largest_difference(model: Any, attention: Attention) -> tuple[float, float]:
    """The largest difference of a logit between blocks and whole texts read alone, and the largest logit.

    Three texts share a beginning; the first ends early, the third begins later, as texts do when they are
    written.
    """
    texts = _random_texts(model)
    before = read(model, texts[0][:_SHARED], before=Held(), at_once=5)
    found: list[tuple[int, int, torch.Tensor]] = []  # text, place of the token read last, logits

    def begun(indices: list[int]) -> Any:
        parts = [texts[index][_SHARED : _SHARED + _OWN[index]] for index in indices]
        held, logits = read_prompts(model, parts, before=before, at_once=64)
        found.extend(
            (index, _SHARED + _OWN[index] - 1, row) for index, row in zip(indices, logits, strict=True)
        )
        shared = before if attention == "own" else Held()
        own = held if attention == "own" else [before.then(one) for one in held]
        return block_of(
            shared,
            [
                (probe_writing(index, texts[index], n_given=_SHARED + _OWN[index]), one)
                for index, one in zip(indices, own, strict=True)
            ],
        )

    blocks = [begun([0, 1])]
    for step in range(_STEPS):
        if step == 1:
            blocks[0].drop([0])
        if step == 2 and attention == "own":
            blocks.append(begun([2]))
        rows: list[Writing] = [writing for block in blocks for writing in block.rows]
        for row, logits in zip(rows, next_logits(model, blocks, attention=attention), strict=True):
            place = len(row.opening.tokens) + len(row.tokens) - 1
            found.append((row.sample, place, logits))
            row.tokens.append(texts[row.sample][place + 1])
    alone = [model(input_ids=_row(model, text)).logits[0].float() for text in texts]
    worst = [(alone[index][place] - logits.float()).abs().max() for index, place, logits in found]
    return max(float(one) if one == one else float("inf") for one in worst), max(
        float(logits.abs().max()) for logits in alone
    )


def _random_texts(model: Any) -> list[list[int]]:
    embeddings = inner_model(model).get_input_embeddings()
    rng = rng_for(0, "writing-probe")

    def token() -> int:
        return int(rng.random() * int(embeddings.weight.shape[0]))

    shared = [token() for _ in range(_SHARED)]
    return [[*shared, *(token() for _ in range(own + _STEPS + 2))] for own in _OWN]


def _row(model: Any, tokens: list[int]) -> torch.Tensor:
    import torch

    return torch.tensor([tokens], device=model.device)


@contextmanager
def _narrow_window(model: Any) -> Iterator[None]:
    """A sliding window shorter than the probe, in both ways of reading, until this is left."""
    config = inner_model(model).config.get_text_config()
    window = getattr(config, "sliding_window", None)
    if window is None or window <= _WINDOW:
        yield
        return
    config.sliding_window = _WINDOW
    try:
        yield
    finally:
        config.sliding_window = window
