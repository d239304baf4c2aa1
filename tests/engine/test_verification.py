"""Scoring some requests again the plain way tells a sound run from one that cannot be trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import MeasurementError
from harness.core.exchange import Answer, BackendFailure, Choose, Chosen, Generate, Request, ScoreText
from harness.engine import Checkpoint, LocalBackend
from harness.engine.verification import verified

REQUESTS: tuple[Request, ...] = (
    *(Choose(f"q{index}", f"Question {index}: yes or no?", (" yes", " no, never")) for index in range(8)),
    Choose("tied", "Yes or no?", (" yes", " yes")),
    ScoreText("text", "The courier left the parcel. " * 40),
)


def _answered(checkpoint: Checkpoint) -> list[tuple[Request, Answer]]:
    answers = dict(LocalBackend(checkpoint).answer(REQUESTS))
    return [(request, answers[request.request_id]) for request in REQUESTS]


def test_a_sound_run_differs_by_rounding_only(tiny: Checkpoint) -> None:
    found = verified(tiny, _answered(tiny), count=100)
    assert (found.n_requests, found.n_values) == (10, 2 * 9 + 1)
    assert found.largest_difference_nats is not None and found.largest_difference_nats < 1e-3
    assert (found.changed_choices, found.near_ties) == (0, 1)  # the options that are one text


def test_so_many_requests_are_drawn_as_asked_for_and_by_the_seed(tiny: Checkpoint) -> None:
    answered = _answered(tiny)
    assert verified(tiny, answered, count=3).n_requests == 3
    assert verified(tiny, answered[::-1], count=3) == verified(tiny, answered, count=3)


def test_what_was_generated_or_failed_is_left_out(tiny: Checkpoint) -> None:
    failed: Answer = BackendFailure("nan_logits", "not finite")
    found = verified(tiny, [(REQUESTS[0], failed), (Generate("g", "?"), failed)], count=5)
    assert (found.n_requests, found.largest_difference_nats) == (0, None)


def test_a_score_that_is_off_stops_the_run_and_names_the_request(tiny: Checkpoint) -> None:
    answered = _answered(tiny)
    request, answer = answered[3]
    assert isinstance(answer, Chosen)
    wrong = replace(answer.options[1], logprob_nats=answer.options[1].logprob_nats - 0.01)
    answered[3] = (request, replace(answer, options=(answer.options[0], wrong)))
    with pytest.raises(
        MeasurementError, match=r"Request q3 .* differs from the plain way's .* --scoring plain"
    ):
        verified(tiny, answered, count=100)


def test_a_run_records_what_its_verification_found(tiny_checkpoint: Path, tmp_path: Path) -> None:
    from harness.engine import open_checkpoint
    from harness.evaluation import EvaluationSettings
    from harness.evaluation.evaluate import evaluate
    from tests.evaluation.made_suites import suite

    with open_checkpoint(tiny_checkpoint, device="cpu") as checkpoint:
        run = evaluate(checkpoint, [suite(n=6)], store=tmp_path, settings=EvaluationSettings(verify=4))
    found = run.manifest.environment["verification"]
    assert found["n_requests"] == 4
    assert 0 <= found["largest_difference_nats"] < 1e-3
    assert run.manifest.environment["backend"]["scoring"]["path"] == "tree"
    assert run.manifest.counts["ties"] == 0
