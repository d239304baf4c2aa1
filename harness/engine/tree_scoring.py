"""Log-likelihoods over a token trie: shared tokens computed once, their keys and values kept, branches packed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from harness.engine.attention_masks import MaskKinds, tree_masks
from harness.engine.forward import Integers, inner_model, on_device, read_tokens
from harness.engine.memory import Budget, in_memory
from harness.engine.packed_rows import PackedRows, packed_rows
from harness.engine.packing import InputsPass, PrefixPass
from harness.engine.planning import Span
from harness.engine.trie import Trie, trie_of

if TYPE_CHECKING:
    from harness.engine.kept_prefix import KeptPrefix

SharedPath = Literal["tree", "batched"]
SHARED_PATHS: tuple[SharedPath, ...] = ("tree", "batched")  # the faster first
_LEAST_PREFIX = 16  # tokens of a prefix that are tried before it is given up


class SpanTable:
    """Spans by the input they read, as arrays, so that a pass finds its wanted tokens without a loop.

    Args:
        spans: What is to be scored.
        is_done: Per span, whether its score is already known; None: of none.
    """

    __slots__ = ("bounds", "is_done", "n_wanted", "order", "spans", "starts", "trie", "wanted")

    def __init__(self, spans: Sequence[Span], *, is_done: Sequence[bool] | None = None) -> None:
        self.spans = spans
        lengths = [len(span.wanted) for span in spans]
        self.trie: Trie = trie_of([span.read for span in spans], lengths)
        self.order: Integers = np.argsort(self.trie.of_read, kind="stable")
        self.bounds: Integers = np.searchsorted(
            self.trie.of_read[self.order], np.arange(self.trie.n_inputs + 1)
        )
        self.n_wanted: Integers = np.array(lengths, dtype=np.int64)
        self.starts: Integers = np.cumsum(self.n_wanted) - self.n_wanted
        self.wanted = np.frombuffer(b"".join(span.wanted for span in spans), dtype=np.int32)
        self.is_done = np.zeros(len(spans), dtype=bool) if is_done is None else np.array(is_done, dtype=bool)

    def of_inputs(self, first: int, stop: int) -> Integers:
        """Indices of the spans that read the inputs [first, stop), input after input."""
        return self.order[self.bounds[first] : self.bounds[stop]]


@dataclass(frozen=True, slots=True)
class PassScores:
    """What one pass found.

    Args:
        spans: (n,) indices of the spans.
        logprob_nats: (n,) their log-likelihoods; None where the pass did not fit the memory.
        is_greedy: (n,) whether greedy decoding writes them.
        seconds: Time of the pass and of the prefixes computed for it.
    """

    spans: Integers
    logprob_nats: npt.NDArray[np.float64] | None
    is_greedy: npt.NDArray[np.bool_] | None
    seconds: float


@dataclass(slots=True)
class _Chunk:
    """A stretch of the path that a prefix pass computes when something first needs it."""

    step: PrefixPass
    upto: int
    is_computed: bool = False


@dataclass(slots=True)
class TreeScorer:
    """Runs passes over a trie on one model.

    Args:
        model: A causal language model in evaluation mode.
        kinds: The masks it takes.
        head_apart: Whether its head may be applied to chosen positions only.
        path: `tree` packs branches under masks of ours; `batched` reads rows of one input each, which the
            model masks itself.
    """

    model: Any
    kinds: MaskKinds
    head_apart: bool
    path: SharedPath = "tree"
    _kept: KeptPrefix | None = None
    _chunks: list[_Chunk] = field(default_factory=list)

    def scores(
        self, table: SpanTable, steps: Iterator[PrefixPass | InputsPass], budget: Budget
    ) -> Iterator[PassScores]:
        """Scores pass by pass, in the given order; passes whose spans are all done are left out.

        A pass that does not fit the memory is split; the spans of a single input that does not fit come back
        without scores.
        """
        from harness.engine.kept_prefix import KeptPrefix

        if self._kept is None:
            self._kept = KeptPrefix(int(inner_model(self.model).config.get_text_config().num_hidden_layers))
        self._chunks = []
        self._kept.cut(0)
        for step in steps:
            self._cut(step.depth)
            if isinstance(step, PrefixPass):
                self._chunks.append(_Chunk(step, step.upto))
            elif not all(table.is_done[table.of_inputs(*row)].all() for row in step.rows):
                yield from self._answered(table, step, budget)

    def release(self) -> None:
        """Frees the kept keys and values; what is still needed of them is computed again."""
        if self._kept is not None:
            self._kept.release()
        for chunk in self._chunks:
            chunk.is_computed = False

    def _cut(self, depth: int) -> None:
        assert self._kept is not None
        self._kept.cut(depth)
        while self._chunks and self._chunks[-1].step.depth >= depth:
            self._chunks.pop()
        if self._chunks:
            self._chunks[-1].upto = min(self._chunks[-1].upto, depth)

    def _answered(self, table: SpanTable, step: InputsPass, budget: Budget) -> Iterator[PassScores]:
        started = perf_counter()
        fits = self._with_path(table.trie, budget)
        waiting = [step.rows]
        while waiting:
            rows = waiting.pop()
            done = self._tried(table, step.depth, rows, budget) if fits else None
            if done is None and fits and (halves := _halves(rows)):
                waiting += reversed(halves)
                continue
            spans = np.concatenate([table.of_inputs(*row) for row in rows])
            logprobs, greedy = (None, None) if done is None else done
            yield PassScores(spans, logprobs, greedy, perf_counter() - started)
            started = perf_counter()

    def _with_path(self, trie: Trie, budget: Budget) -> bool:
        """Computes the stretches of the path that are still missing; False where the memory does not hold them."""
        assert self._kept is not None
        for chunk in self._chunks:
            if not chunk.is_computed:
                if not self._prefix(trie, chunk.step, budget):
                    return False
                chunk.is_computed = True
                self._kept.cut(chunk.upto)
        return True

    def _prefix(self, trie: Trie, step: PrefixPass, budget: Budget) -> bool:
        assert self._kept is not None
        waiting = [(step.depth, step.upto)]
        while waiting:
            depth, upto = waiting.pop()
            size = upto - depth
            if size <= budget.tokens or size <= _LEAST_PREFIX:
                tokens = trie.input(step.input)[None, depth:upto].astype(np.int64)
                positions = np.arange(depth, upto, dtype=np.int64)[None]
                inputs = self._inputs(tokens, positions)
                if in_memory(partial(self._body, inputs)):
                    self._kept.keep()
                    continue
                budget.halve(size)
            if size <= _LEAST_PREFIX:
                return False
            middle = (depth + upto) // 2
            waiting += [(middle, upto), (depth, middle)]
        return True

    def _body(self, inputs: dict[str, Any]) -> bool:
        """The body alone: nothing is projected onto the vocabulary."""
        import torch

        assert self._kept is not None
        self._kept.begin(*inputs["input_ids"].shape)
        with torch.inference_mode():
            inner_model(self.model).base_model(**inputs)
        return True

    def _tried(
        self, table: SpanTable, depth: int, rows: tuple[tuple[int, int], ...], budget: Budget
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]] | None:
        """The scores of some rows of a pass, or None where they do not fit the memory."""
        packed = packed_rows(table.trie, depth, rows)
        size = packed.tokens.size
        if size > budget.tokens and budget.halvings and _halves(rows):
            return None
        done = in_memory(partial(self._scores_of, table, packed, rows))
        if done is None:
            assert self._kept is not None
            self._kept.forget_copies()
            budget.halve(size)
        return done

    def _scores_of(
        self, table: SpanTable, packed: PackedRows, rows: tuple[tuple[int, int], ...]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        import torch

        assert self._kept is not None
        spans = np.concatenate([table.of_inputs(*row) for row in rows])
        n_spans = np.concatenate([np.diff(table.bounds[first : stop + 1]) for first, stop in rows])
        # A span is read from the last positions that its input is looked at.
        own_end = np.repeat(np.cumsum(packed.n_scored), n_spans)
        counts = table.n_wanted[spans]
        picked = packed.scored[_ranges(own_end - counts, counts)]
        tokens = table.wanted[_ranges(table.starts[spans], counts)]
        places, place = np.unique(picked, return_inverse=True)
        inputs = self._packed_inputs(packed)
        if packed.depth:
            self._kept.begin(*packed.tokens.shape)
        with torch.inference_mode():
            found = read_tokens(self.model, inputs, places, place, tokens, head_apart=self.head_apart)
        edges = np.cumsum(counts) - counts
        return (
            np.add.reduceat(found[0].astype(np.float64), edges),
            np.minimum.reduceat(found[1], edges) > 0,
        )

    def _packed_inputs(self, packed: PackedRows) -> dict[str, Any]:
        inputs = self._inputs(packed.tokens, packed.positions)
        if not packed.depth:  # nothing is kept before, and nothing of this pass is kept
            del inputs["past_key_values"]
            inputs["use_cache"] = False
        if self.path == "tree" and not (packed.is_chain and not packed.depth):
            inputs["attention_mask"] = tree_masks(
                self.kinds,
                ends=on_device(packed.ends, inputs["input_ids"].device),
                positions=inputs["position_ids"],
                depth=packed.depth,
                dtype=self.model.dtype,
            )
        return inputs

    def _inputs(self, tokens: Integers, positions: Integers) -> dict[str, Any]:
        device = self.model.device
        return {
            "input_ids": on_device(tokens, device),
            "position_ids": on_device(positions, device),
            "past_key_values": self._kept,
            "use_cache": True,
        }


def _halves(rows: tuple[tuple[int, int], ...]) -> list[tuple[tuple[int, int], ...]]:
    """Two smaller parts of a pass; none where it holds a single input."""
    if len(rows) > 1:
        return [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    [(first, stop)] = rows
    middle = (first + stop) // 2
    return [] if stop - first == 1 else [((first, middle),), ((middle, stop),)]


def _ranges(starts: Integers, counts: Integers) -> Integers:
    """The numbers start, start + 1 ... of each range, one range after the other.

    Example:
        >>> _ranges(np.array([5, 1]), np.array([2, 3])).tolist()
        [5, 6, 1, 2, 3]
    """
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1])) + np.repeat(starts - (ends - counts), counts)
