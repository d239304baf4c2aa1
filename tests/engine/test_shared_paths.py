"""Sharing what inputs have in common scores them as each alone, on every architecture, or is not done."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.engine import attention_masks, path_probe, tree_scoring
from harness.engine.attention_masks import MaskKinds
from harness.engine.forward import has_head_apart
from harness.engine.memory import Budget
from harness.engine.packing import passes
from harness.engine.path_probe import chosen_path
from harness.engine.planning import Span
from harness.engine.tree_scoring import SHARED_PATHS, SharedPath, SpanTable, TreeScorer
from tests.engine.tiny_models import FULL, NOT_SHARED, VOCABULARY, WINDOWED, tiny_model

INDEPENDENT = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TOKENS = st.integers(0, VOCABULARY - 1)


def _alone(model: Any, span: Span) -> tuple[float, bool]:
    """The definition: one forward pass of one sequence, all logits, log-softmax in fp32."""
    with torch.inference_mode():
        logits = model(torch.tensor([list(span.read)])).logits[0, -len(span.wanted) :].float()
    wanted = list(span.wanted)
    chosen = torch.log_softmax(logits, dim=-1)[range(len(wanted)), wanted]
    return float(chosen.double().sum()), logits.argmax(dim=-1).tolist() == wanted


def _found(
    model: Any, kinds: MaskKinds, path: SharedPath, spans: Sequence[Span], *, row: int, most: int
) -> dict[int, tuple[float, bool]]:
    table = SpanTable(spans)
    scorer = TreeScorer(model, kinds, has_head_apart(model), path)
    steps = passes(table.trie, row_tokens=1 if path == "batched" else row, pass_tokens=most)
    found: dict[int, tuple[float, bool]] = {}
    for one in scorer.scores(table, iter(steps), Budget(1 << 20)):
        assert one.logprob_nats is not None and one.is_greedy is not None
        for index, value, greedy in zip(one.spans, one.logprob_nats, one.is_greedy, strict=True):
            assert int(index) not in found
            found[int(index)] = (float(value), bool(greedy))
    assert sorted(found) == list(range(len(spans)))
    return found


def _agree(found: dict[int, tuple[float, bool]], model: Any, spans: Sequence[Span]) -> None:
    for index, span in enumerate(spans):
        value, greedy = _alone(model, span)
        assert found[index][0] == pytest.approx(value, rel=1e-6, abs=1e-4)
        assert found[index][1] == greedy


def _span(slot: int, tokens: Sequence[int], n_wanted: int) -> Span:
    """Scores the last tokens of a sequence given the ones before; at least one is read."""
    return Span("r", slot, array("i", tokens[:-1]), array("i", tokens[-n_wanted:]))


def _questions(model: Any) -> list[Span]:
    """Shots that two thirds of the questions share, options of 1 to 4 tokens, a whole text, and equal inputs."""
    generator = torch.Generator().manual_seed(11)

    def drawn(count: int) -> list[int]:
        return torch.randint(0, VOCABULARY, (count,), generator=generator).tolist()

    shots = drawn(20)
    spans: list[Span] = []
    for question in range(9):
        own = [*(shots if question % 3 else []), *drawn(3 + question)]
        for option in range(4):
            wanted = drawn(1 + option)
            spans.append(_span(len(spans), [*own, *wanted], len(wanted)))
    letter = _span(len(spans), [*shots, 7, 8], 1)
    text = drawn(50)
    return [*spans, letter, letter, _span(0, text, 49), _span(0, text[:3], 1)]


@pytest.mark.parametrize("name", [*FULL, *WINDOWED])
def test_every_architecture_that_can_share_is_found_out_and_scores_as_alone(name: str) -> None:
    model = tiny_model(name)
    choice = chosen_path(model)
    assert (choice.path, choice.notes) == ("tree", ())
    assert choice.kinds is not None
    assert (8 in choice.kinds.windows) is (name in WINDOWED)
    spans = _questions(model)
    for path in SHARED_PATHS:
        _agree(_found(model, choice.kinds, path, spans, row=40, most=90), model, spans)


@pytest.mark.parametrize("name", list(NOT_SHARED))
def test_models_that_cannot_share_take_the_plain_way_and_say_why(name: str) -> None:
    choice = chosen_path(tiny_model(name, shared=False))
    assert choice.path == "plain"
    [note] = choice.notes
    assert name in note


@st.composite
def tries(draw: st.DrawFn) -> list[Span]:
    """Sequences that branch anywhere, one inside another, with any part of them scored."""
    known: list[list[int]] = [draw(st.lists(TOKENS, min_size=2, max_size=30))]
    for _ in range(draw(st.integers(0, 10))):
        stem = draw(st.sampled_from(known))
        kept = draw(st.integers(0, len(stem)))
        known.append([*stem[:kept], *draw(st.lists(TOKENS, min_size=2, max_size=12))])
    return [_span(slot, tokens, draw(st.integers(1, len(tokens) - 1))) for slot, tokens in enumerate(known)]


@INDEPENDENT
@given(spans=tries(), row=st.integers(1, 80), most=st.integers(1, 120), path=st.sampled_from(SHARED_PATHS))
@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt2"])
def test_any_trie_in_any_passes_scores_as_alone(
    name: str, spans: list[Span], row: int, most: int, path: SharedPath
) -> None:
    model = tiny_model(name)
    kinds = attention_masks.mask_kinds(model.config)
    assert kinds is not None
    _agree(_found(model, kinds, path, spans, row=row, most=most), model, spans)


def test_a_mask_that_lets_branches_see_each_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def causal(kinds: MaskKinds, *, ends: Any, positions: Any, depth: int, dtype: Any) -> Any:
        open_ends = torch.full_like(ends, ends.shape[1])
        return attention_masks.tree_masks(
            kinds, ends=open_ends, positions=positions, depth=depth, dtype=dtype
        )

    monkeypatch.setattr(tree_scoring, "tree_masks", causal)
    choice = chosen_path(tiny_model("llama"))
    assert choice.path == "batched"
    [note] = choice.notes
    assert "tree way of scoring is REFUSED" in note


@pytest.mark.parametrize("name", list(WINDOWED))
def test_a_mask_without_the_model_s_window_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def windowless(config: Any) -> MaskKinds | None:
        kinds = attention_masks.mask_kinds(config)
        assert kinds is not None
        return MaskKinds((None,) * len(kinds.windows), kinds.names)

    monkeypatch.setattr(path_probe, "mask_kinds", windowless)
    choice = chosen_path(tiny_model(name))
    assert choice.path == "batched"
    assert "REFUSED" in choice.notes[0]


def test_positions_that_a_model_ignores_are_refused_to_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = TreeScorer._inputs

    def without_positions(self: TreeScorer, tokens: Any, positions: Any) -> dict[str, Any]:
        given = inputs(self, tokens, positions)
        return given | {"position_ids": torch.zeros_like(given["position_ids"])}

    monkeypatch.setattr(TreeScorer, "_inputs", without_positions)
    choice = chosen_path(tiny_model("llama"))
    assert choice.path == "plain"
    assert len(choice.notes) == 2
    assert all("REFUSED" in note for note in choice.notes)


def test_the_probe_leaves_the_windows_as_they_were() -> None:
    model = tiny_model("mistral")
    chosen_path(model)
    assert model.config.sliding_window == 8


def test_half_formats_share_within_what_the_plain_way_itself_varies_by() -> None:
    assert chosen_path(deepcopy(tiny_model("llama")).to(torch.bfloat16)).path == "tree"
