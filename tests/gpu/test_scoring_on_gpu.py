"""The same scoring on a CUDA device: every format and way of scoring, real memory running out, several GPUs."""

from __future__ import annotations

from array import array
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from harness.core.exchange import Choose, Chosen, Request, ScoreText
from harness.engine import LocalBackend, open_checkpoint
from harness.engine.memory import Budget
from harness.engine.packing import passes
from harness.engine.path_probe import chosen_path
from harness.engine.planning import Span
from harness.engine.scoring import SpanScore, scored
from harness.engine.tolerance import tolerance_nats
from harness.engine.tree_scoring import SHARED_PATHS, SpanTable, TreeScorer
from harness.engine.verification import verified
from tests.engine.tiny_models import FULL, WINDOWED, tiny_model

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
]
REQUESTS: list[Request] = [
    *(
        Choose(f"q{index}", "Shots. " * 40 + f"Question {index}?", (" yes", " no, never"))
        for index in range(20)
    ),
    ScoreText("text", "The courier left the parcel. " * 60),
]


def _spans() -> list[Span]:
    generator = torch.Generator().manual_seed(3)
    shots = torch.randint(0, 200, (40,), generator=generator).tolist()
    spans = []
    for slot in range(24):
        own = torch.randint(0, 200, (6 + slot % 5,), generator=generator).tolist()
        spans.append(Span("r", slot, array("i", [*shots, *own][:-1]), array("i", own[-3:])))
    return spans


@pytest.mark.parametrize("name", [*FULL, *WINDOWED])
def test_fp32_on_the_gpu_scores_as_the_plain_way(name: str) -> None:
    model = deepcopy(tiny_model(name)).to("cuda")
    choice = chosen_path(model)
    assert choice.path == "tree", choice.notes
    assert choice.kinds is not None
    spans = _spans()
    by_slot = {
        span.slot: score
        for span, score in scored(model, spans, Budget(1 << 16), head_apart=choice.head_apart)
    }
    for path in SHARED_PATHS:
        table = SpanTable(spans)
        scorer = TreeScorer(model, choice.kinds, choice.head_apart, path)
        for one in scorer.scores(table, passes(table.trie, row_tokens=32, pass_tokens=64), Budget(1 << 16)):
            assert one.logprob_nats is not None
            for index, value in zip(one.spans.tolist(), one.logprob_nats.tolist(), strict=True):
                expected = by_slot[spans[index].slot]
                assert isinstance(expected, SpanScore)
                assert abs(value - expected.logprob_nats) <= tolerance_nats("float32", value)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_checkpoint_in_each_format_verifies(tiny_checkpoint: Path, dtype: str) -> None:
    with open_checkpoint(tiny_checkpoint, device="cuda", dtype=dtype) as checkpoint:
        answers = dict(LocalBackend(checkpoint, too_long="truncate-left").answer(REQUESTS))
        found = verified(
            checkpoint, [(request, answers[request.request_id]) for request in REQUESTS], count=100
        )
    assert found.n_requests == len(REQUESTS)


def test_memory_that_really_runs_out_splits_the_pass(tiny_checkpoint: Path) -> None:
    with open_checkpoint(tiny_checkpoint, device="cuda", dtype="float32") as checkpoint:
        backend = LocalBackend(checkpoint, too_long="truncate-left")
        expected = dict(backend.answer(REQUESTS))
        used = torch.cuda.memory_allocated() + (8 << 20)
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(used / total)
        try:
            tight = LocalBackend(checkpoint, too_long="truncate-left")
            found = dict(tight.answer(REQUESTS))
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
    for request_id, answer in expected.items():
        if isinstance(answer, Chosen):
            other = found[request_id]
            assert isinstance(other, Chosen)
            for one, two in zip(answer.options, other.options, strict=True):
                assert abs(one.logprob_nats - two.logprob_nats) <= tolerance_nats("float32", one.logprob_nats)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_a_model_over_two_gpus_scores_as_on_one(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.engine import loading

    with open_checkpoint(tiny_checkpoint, device="cuda:0", dtype="float32") as checkpoint:
        expected = dict(LocalBackend(checkpoint, too_long="truncate-left").answer(REQUESTS))
    monkeypatch.setattr(loading, "is_spread", lambda device, n_bytes: True)
    with open_checkpoint(tiny_checkpoint, device="cuda", dtype="float32") as checkpoint:
        found = dict(LocalBackend(checkpoint, too_long="truncate-left").answer(REQUESTS))
    for request_id, answer in expected.items():
        if isinstance(answer, Chosen):
            other = found[request_id]
            assert isinstance(other, Chosen)
            assert [option.logprob_nats for option in other.options] == pytest.approx(
                [option.logprob_nats for option in answer.options], abs=1e-4
            )
