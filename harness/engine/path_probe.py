"""Proves at load which ways of scoring agree with the plain one on this model, and refuses those that do not."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

from harness.core.rng import rng_for
from harness.engine.attention_masks import MaskKinds, mask_kinds
from harness.engine.forward import body_accepts, has_head_apart, has_prompt_learning, inner_model
from harness.engine.memory import Budget, is_out_of_memory
from harness.engine.packing import InputsPass, Pass, PrefixPass
from harness.engine.planning import Span
from harness.engine.scoring import SpanScore, scored
from harness.engine.tolerance import tolerance_nats
from harness.engine.tree_scoring import SHARED_PATHS, SharedPath, SpanTable, TreeScorer
from harness.engine.trie import Trie

ScoringPath = Literal["tree", "batched", "plain"]
_SHARED = 6  # tokens that three of the probe's inputs begin with
_WINDOW = 3  # a probe's window, so that short inputs reach beyond it
_PLENTY = 1 << 20
_JITTER = 4  # of half formats: what the plain way itself varies by between batch shapes, times this


@dataclass(frozen=True, slots=True)
class PathChoice:
    """The way a model's requests are scored.

    Args:
        path: `tree`: branches packed under masks; `batched`: suffixes in rows after a kept prefix; `plain`: each
            distinct input read whole.
        kinds: The masks the model takes; None with `plain`.
        head_apart: Whether the head may be applied to chosen positions only.
        differences: Per way tried, the largest difference from the plain one in nats; None where the model
            could not be called that way.
        notes: What a user should know: why a faster way is not taken.
    """

    path: ScoringPath
    kinds: MaskKinds | None
    head_apart: bool
    differences: tuple[tuple[SharedPath, float | None], ...] = ()
    notes: tuple[str, ...] = ()


def plain_choice(model: Any) -> PathChoice:
    """The plain way, untried."""
    return PathChoice("plain", None, has_head_apart(model))


def chosen_path(model: Any) -> PathChoice:
    """The fastest way that scores random tokens as the plain way does.

    Takes some hundred tokens of computing. Windows wider than the probe are narrowed while it runs, so that what
    lies beyond a window is tried on any model.

    Args:
        model: A causal language model in evaluation mode.
    """
    head_apart = has_head_apart(model)
    kinds = mask_kinds(inner_model(model).config.get_text_config())
    reason = _not_shareable(model, kinds)
    if reason is not None or kinds is None:
        note = f"Shared prefixes are read again for every request: {reason}."
        return PathChoice("plain", None, head_apart, notes=(note,))
    with _narrow_windows(model):
        narrow = mask_kinds(inner_model(model).config.get_text_config())
        assert narrow is not None
        path, differences, notes = _proved(model, narrow, head_apart=head_apart)
    return PathChoice(path, None if path == "plain" else kinds, head_apart, differences, notes)


def _proved(
    model: Any, kinds: MaskKinds, *, head_apart: bool
) -> tuple[ScoringPath, tuple[tuple[SharedPath, float | None], ...], tuple[str, ...]]:
    """The first way that agrees with the plain one, the differences found, and what was refused and why."""
    spans = _random_spans(model)
    plain, allowed_nats = _plain_scores(model, spans, head_apart=head_apart)
    if len(plain) < len(spans):
        note = (
            "Random tokens have no finite score: no faster way of scoring could be proved, and none is used."
        )
        return "plain", (), (note,)
    differences: list[tuple[SharedPath, float | None]] = []
    notes: list[str] = []
    for path in SHARED_PATHS:
        scorer = TreeScorer(model, kinds, head_apart, path)
        found = _scores_or_reason(scorer, spans)
        scorer.release()
        if isinstance(found, str):
            differences.append((path, None))
            notes.append(f"The {path} way of scoring is refused: {found}")
            continue
        worst = max(abs(one - other) for one, other in zip(found, cycle(plain), strict=False))
        differences.append((path, worst))
        if worst <= allowed_nats:
            return path, tuple(differences), tuple(notes)
        notes.append(
            f"The {path} way of scoring is REFUSED: on random tokens it differs from the plain way by "
            f"{worst:.2g} nats, more than the {allowed_nats:.2g} that rounding explains."
        )
    return "plain", tuple(differences), tuple(notes)


def _not_shareable(model: Any, kinds: MaskKinds | None) -> str | None:
    """Why a model cannot reuse what it has read, where that is known without trying."""
    config = inner_model(model).config.get_text_config()
    if has_prompt_learning(model):
        return "the adapter puts tokens of its own before the input"
    missing = [
        name
        for name in ("position_ids", "attention_mask", "past_key_values")
        if not body_accepts(model, name)
    ]
    if missing:
        return f"{config.model_type} takes no {missing[0]}"
    if getattr(config, "alibi", False):
        return f"{config.model_type} counts distances in the row (alibi)"
    if kinds is None:
        return f"{config.model_type} has layers that packing cannot keep apart ({_types(config)})"
    return None


def _types(config: Any) -> str:
    return ", ".join(sorted(set(getattr(config, "layer_types", None) or ())))


def _random_spans(model: Any) -> list[Span]:
    """Inputs that branch, and branch again: 6 + 2 + (2 | 3) tokens, 6 + 3 + 2, and 7 on their own."""
    rng = rng_for(0, "path probe")
    top = min(int(inner_model(model).config.get_text_config().vocab_size), 1 << 15)

    def drawn(count: int) -> list[int]:
        return [int(rng.random() * top) for _ in range(count)]

    shared, branch = drawn(_SHARED), drawn(2)
    inputs = [
        ([*shared, *branch, *drawn(2)], 3),
        ([*shared, *branch, *drawn(3)], 4),
        ([*shared, *drawn(5)], 2),
        (drawn(7), 6),
    ]
    return [
        Span("probe", slot, array("i", read), array("i", drawn(n_scored)))
        for slot, (read, n_scored) in enumerate(inputs)
    ]


def _plain_scores(model: Any, spans: Sequence[Span], *, head_apart: bool) -> tuple[list[float], float]:
    """The plain way's log-likelihoods, and how far another way may differ."""
    alone = [
        score.logprob_nats
        for span in spans
        for _, score in scored(model, [span], Budget(_PLENTY), head_apart=head_apart)
        if isinstance(score, SpanScore)
    ]
    dtype = str(model.dtype).removeprefix("torch.")
    allowed = max((tolerance_nats(dtype, value) for value in alone), default=0.0)
    if dtype != "float32":
        batched = scored(model, spans, Budget(_PLENTY), head_apart=head_apart)
        together = {span.slot: score for span, score in batched}
        jitter = [
            abs(other.logprob_nats - value)
            for value, slot in zip(alone, sorted(together), strict=True)
            if isinstance(other := together[slot], SpanScore)
        ]
        allowed = max(allowed, _JITTER * max(jitter, default=0.0))
    return alone, allowed


def _scores_or_reason(scorer: TreeScorer, spans: Sequence[Span]) -> list[float] | str:
    """The log-likelihoods, once the spans over for every round of passes, or why there are none."""
    table = SpanTable(spans)
    found: list[float] = []
    try:
        for steps in _rounds(table.trie, scorer.path):
            values = [0.0] * len(spans)
            for one in scorer.scores(table, iter(steps), Budget(_PLENTY)):
                if one.logprob_nats is None:
                    return "memory ran out."
                for index, value in zip(one.spans.tolist(), one.logprob_nats.tolist(), strict=True):
                    values[index] = value
            found += values
    # Whatever a model that was not made for such input may raise; any other error is a fault of ours.
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, RuntimeError) as error:
        if is_out_of_memory(error):
            return "memory ran out."
        return f"the model cannot be called so ({type(error).__name__}: {str(error).splitlines()[0][:120]})."
    return found


def _rounds(trie: Trie, path: SharedPath) -> list[list[Pass]]:
    """Passes over the probe's inputs that use all a way can do, whatever the planner would make of them.

    The three inputs with a common beginning stand side by side in the trie, the other one before or after them.
    """
    other = int(trie.of_read[-1])
    first = 1 if other == 0 else 0
    alone = InputsPass(0, ((other, other + 1),))
    if path == "batched":
        kept = PrefixPass(first, 0, _SHARED)
        rows = tuple((index, index + 1) for index in range(first, first + 3))
        return [[kept, InputsPass(_SHARED, rows), alone]]
    everything: list[Pass] = [InputsPass(0, ((0, 4),))]
    half = PrefixPass(first, 0, _SHARED // 2)
    rest = PrefixPass(first, _SHARED // 2, _SHARED)
    branches = InputsPass(_SHARED, ((first, first + 2), (first + 2, first + 3)))
    return [everything, [half, rest, branches, alone]]


@contextmanager
def _narrow_windows(model: Any) -> Iterator[None]:
    """Attention windows of a few tokens, for both ways of scoring, while the probe runs."""
    inner = inner_model(model)
    configs = {
        id(one): one for one in (inner.config, inner.config.get_text_config(), inner.base_model.config)
    }
    widths = [
        (config, config.sliding_window)
        for config in configs.values()
        if getattr(config, "sliding_window", None) is not None
    ]
    try:
        for config, _ in widths:
            config.sliding_window = _WINDOW
        yield
    finally:
        for config, width in widths:
            config.sliding_window = width
