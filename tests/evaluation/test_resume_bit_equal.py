"""A run that was broken off scores, under its stored plan, bit for bit what it would have scored in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.exchange import Answer, Choose, Chosen, Request, ScoreText, TextScored
from harness.engine import Checkpoint, LocalBackend, open_checkpoint
from harness.engine.scoring_plan import ScoringPlan
from harness.evaluation import journalled
from harness.evaluation.journalled import JournalledBackend
from harness.store import RunHeader, open_store

SHOTS = "The review is positive. 这条评论是负面的。" * 4
REQUESTS: tuple[Request, ...] = (
    *(
        Choose(
            f"q{index}", f"{SHOTS}Question {index % 12}?{' why' * (index % 3)}", (" yes", " no, never", " A")
        )
        for index in range(30)
    ),
    *(ScoreText(f"t{index}", f"The courier left {index} parcels. " * (1 + index)) for index in range(6)),
)
PLAN = ScoringPlan("tree", row_tokens=48, pass_tokens=96, batch_tokens=400)


@pytest.fixture(scope="module")
def opened(tiny_checkpoint: Path) -> Iterator[Checkpoint]:
    with open_checkpoint(tiny_checkpoint, device="cpu") as checkpoint:
        yield checkpoint


def _nats(answers: dict[str, Answer]) -> dict[str, tuple[float, ...]]:
    found = {}
    for request_id, answer in answers.items():
        assert isinstance(answer, Chosen | TextScored)
        found[request_id] = (
            tuple(option.logprob_nats for option in answer.options)
            if isinstance(answer, Chosen)
            else (answer.logprob_nats,)
        )
    return found


def _run(
    backend: LocalBackend, folder: Path, *, stop_after: int | None = None
) -> tuple[dict[str, Answer], JournalledBackend]:
    """The answers of a run, or of what was journalled before it was broken off after some packs."""
    packs = 0

    def count(done: int) -> None:
        nonlocal packs
        packs += 1
        if stop_after is not None and packs > stop_after:
            raise KeyboardInterrupt

    with open_store(folder, create=True).begin(RunHeader("run", "plan")) as writer:
        asking = JournalledBackend(backend, writer, on_answers=count)
        try:
            return dict(asking.answer(REQUESTS)), asking
        except KeyboardInterrupt:
            return dict(writer.answered()), asking


@pytest.mark.parametrize("path", ["tree", "plain"])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_broken_off_run_scores_the_rest_bit_for_bit_under_its_stored_plan(
    opened: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, stop_after: int
) -> None:
    monkeypatch.setattr(journalled, "PACK_SIZE", 5)
    plan = replace(PLAN, path=path)  # type: ignore[arg-type]
    first = LocalBackend(opened)
    first.follow(plan.to_json())
    whole, _ = _run(first, tmp_path / "whole")

    again = LocalBackend(opened)
    again.follow(plan.to_json())
    part, _ = _run(again, tmp_path / "broken", stop_after=stop_after)
    assert 0 < len(part) < 18  # distinct requests
    resumed = LocalBackend(opened, batch_tokens=123)  # which the stored plan overrules
    rest, asking = _run(resumed, tmp_path / "broken")
    assert resumed.scoring_plan() == plan.to_json()
    assert asking.resumed == len(part)
    assert _nats(rest) == _nats(whole)


def test_passes_whose_requests_are_all_answered_are_not_run_again(own: Checkpoint) -> None:
    tokens: list[int] = []
    own.model.model.register_forward_pre_hook(
        lambda module, args, kwargs: tokens.append(kwargs["input_ids"].numel()), with_kwargs=True
    )

    def read(done: set[str]) -> tuple[int, dict[str, Answer]]:
        backend = LocalBackend(own)
        backend.follow(PLAN.to_json())
        list(backend.answer(REQUESTS[:1]))
        tokens.clear()
        answers = dict(backend.answer(REQUESTS, done=done))
        return sum(tokens), answers

    everything, whole = read(set())
    known = {request.request_id for request in REQUESTS if request.request_id != "q3"}
    one, rest = read(known)
    assert set(rest) == {"q3"}
    assert _nats(rest)["q3"] == _nats(whole)["q3"]
    assert one < everything / 3
    assert read(known | {"q3"}) == (0, {})


@pytest.fixture
def own(tiny_checkpoint: Path) -> Iterator[Checkpoint]:
    """With weights of its own, on which hooks may be hung."""
    with open_checkpoint(tiny_checkpoint, device="cpu") as checkpoint:
        yield checkpoint
