"""The floor: what the distinct tokens alone would cost, read densely at the best batch shape.

The prefix that all reads share is read once; the other distinct tokens go through the body in batches of the
best shape found, each attending the prefix's keys and values; the head and an fp32 log-softmax run on exactly
the scored rows. No tree, no mask of a tree, no tokenising: nothing that scores can be faster without reading
less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.scoring_work.distinct import Distinct

if TYPE_CHECKING:
    import torch

_SHARED_FROM = 32  # a shorter prefix is not worth a cache
_HEAD_BLOCKS = (64, 256, 1024)


@dataclass(frozen=True, slots=True)
class BatchShape:
    """Rows and tokens per row of a batch, and rows per block of the head."""

    rows: int
    width: int
    head_rows: int = 256

    @property
    def tokens(self) -> int:
        return self.rows * self.width


@dataclass(frozen=True, slots=True)
class Floor:
    """A work's floor, ready to be timed again and again.

    Args:
        model: The Transformers model.
        counts: The work's distinct tokens.
        shape: The best batch shape.
        steps: Generation only: how many texts are still written at each step.
    """

    model: Any
    counts: Distinct
    shape: BatchShape
    steps: tuple[int, ...] = field(default=())

    def run(self) -> None:
        """Reads, projects and normalises everything once."""
        _run(self.model, self.counts, self.shape, self.steps)


def floor_of(model: Any, counts: Distinct, *, is_thorough: bool, steps: Sequence[int] = ()) -> Floor:
    """Searches the best batch shape for a work's counts.

    Args:
        model: The Transformers model, in evaluation mode.
        counts: The work's distinct tokens.
        is_thorough: Whether to try all shapes or a few likely ones.
        steps: Generation only: how many texts are still written at each step.
    """
    shared = _shared(counts)
    past = _read_prefix(model, shared)
    rest = counts.n_tokens - shared
    shapes = list(_candidates(rest, has_prefix=shared > 0, is_thorough=is_thorough, device=model.device.type))
    times = [_per_token(model, past, shape) for shape in shapes]
    best = shapes[times.index(min(times))]
    blocks = [block for block in _HEAD_BLOCKS if block <= max(64, counts.n_scored)]
    per_row = [_per_row(model, block) for block in blocks]
    head_rows = blocks[per_row.index(min(per_row))]
    return Floor(model, counts, BatchShape(best.rows, best.width, head_rows), tuple(steps))


def _candidates(rest: int, *, has_prefix: bool, is_thorough: bool, device: str) -> Iterator[BatchShape]:
    totals: tuple[int, ...] = (256, 512, 1024, 2048) if device == "cpu" else (2048, 8192, 16_384)
    if not is_thorough:
        totals = totals[1:2]
    found = False
    for total in totals:
        if total > max(rest, 1):
            continue
        found = True
        # Behind a prefix every row copies its keys and values: few rows are better there, or one.
        widths: tuple[int, ...] = (64, 16, 128, 32, total // 4)
        if has_prefix:
            widths = (total, total // 2, total // 4)
        for width in widths if is_thorough else widths[:2]:
            yield BatchShape(total // width, width)
    if not found:
        yield BatchShape(1, max(1, rest))


def _shared(counts: Distinct) -> int:
    return counts.prefix if counts.prefix >= _SHARED_FROM else 0


def _run(model: Any, counts: Distinct, shape: BatchShape, steps: Sequence[int]) -> None:
    import torch

    shared = _shared(counts)
    left, to_score = counts.n_tokens - shared, counts.n_scored
    with torch.inference_mode():
        past = _read_prefix(model, shared)
        chosen: list[torch.Tensor] = []
        share = to_score / max(1, left)
        while left > 0:
            width = min(shape.width, left)
            rows = min(shape.rows, left // width)
            hidden = _read(model, past, rows, width)
            left -= rows * width
            n_rows = to_score if left == 0 else min(to_score, round(rows * width * share))
            to_score -= n_rows
            chosen.append(hidden.reshape(-1, hidden.shape[-1])[:n_rows])
        _project(model, torch.cat(chosen), shape.head_rows)
        for n_texts in steps:
            hidden = _read(model, past, 1, n_texts)
            _project(model, hidden[0], shape.head_rows)
    if model.device.type == "cuda":
        torch.cuda.synchronize()


def _read_prefix(model: Any, length: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Keys and values of each layer after the shared prefix; empty without one."""
    if length == 0:
        return []
    import torch

    with torch.inference_mode():
        out = model.base_model(input_ids=_tokens(model, 1, length), use_cache=True)
    return [(layer.keys, layer.values) for layer in out.past_key_values.layers]


def _read(
    model: Any, past: Sequence[tuple[torch.Tensor, torch.Tensor]], rows: int, width: int
) -> torch.Tensor:
    ids = _tokens(model, rows, width)
    if not past:
        hidden: torch.Tensor = model.base_model(input_ids=ids, use_cache=False)[0]
        return hidden
    from transformers.cache_utils import DynamicCache, DynamicLayer

    cache = DynamicCache()
    for keys, values in past:
        layer = DynamicLayer()
        layer.lazy_initialization(keys, values)
        # Set, not appended to nothing: that would copy the prefix once more.
        layer.keys, layer.values = keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1)
        cache.layers.append(layer)
    hidden = model.base_model(input_ids=ids, past_key_values=cache, use_cache=True)[0]
    return hidden


def _tokens(model: Any, rows: int, width: int) -> torch.Tensor:
    import torch

    vocabulary = model.get_input_embeddings().weight.shape[0]
    # Which tokens does not matter; different ones, so that no row of the embedding stays near by chance.
    return (torch.arange(rows * width, device=model.device) * 7919 % vocabulary).reshape(rows, width)


def _project(model: Any, hidden: torch.Tensor, block: int) -> None:
    import torch

    head = model.get_output_embeddings()
    for start in range(0, len(hidden), block):
        logits = head(hidden[start : start + block])
        wanted = torch.zeros(len(logits), 1, dtype=torch.long, device=logits.device)
        torch.log_softmax(logits.float(), dim=-1).gather(1, wanted)


def _per_token(model: Any, past: Sequence[tuple[torch.Tensor, torch.Tensor]], shape: BatchShape) -> float:
    return _least_seconds(model, lambda: _read(model, past, shape.rows, shape.width)) / shape.tokens


def _per_row(model: Any, block: int) -> float:
    import torch

    weight = model.get_output_embeddings().weight
    hidden = torch.zeros(block, weight.shape[1], dtype=weight.dtype, device=weight.device)
    return _least_seconds(model, lambda: _project(model, hidden, block)) / block


def _least_seconds(model: Any, call: Callable[[], object], *, times: int = 2) -> float:
    import torch

    seconds = []
    for _ in range(times):
        started = perf_counter()
        with torch.inference_mode():
            call()
        if model.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(perf_counter() - started)
    return min(seconds)
