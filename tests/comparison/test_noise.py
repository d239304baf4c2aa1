"""Flips that numbers alone could undo are ties."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.comparison import compare
from harness.core.errors import UsageError
from harness.core.exchange import Answer, Choose, Chosen, OptionScore, Request
from harness.evaluation import EvaluationSettings
from harness.evaluation.replicates import replicate_settings
from harness.store import StoredRun
from tests.evaluation.made_suites import prompt_text, run_of, scripted, suite

LEADS = {0: -0.01, 1: -3.0}  # by item number: how far alpha, the right option, leads beta


def answers(leads: dict[int, float], *, shift: float = 0.0, name: str) -> object:
    def script(request: Request) -> Answer | str:
        assert isinstance(request, Choose)
        number = int(prompt_text(request).split("number ")[1].split()[0])
        lead = leads.get(number, 5.0) + shift
        return Chosen(tuple(OptionScore(value, 1) for value in (-1.0, -1.0 - lead, -9.0)))

    return scripted(script, name=name)


def run(
    folder: Path, leads: dict[int, float], *, name: str, shift: float = 0.0, replicate: int = 0
) -> StoredRun:
    settings = EvaluationSettings(replicate=replicate)
    backend = answers(leads, shift=shift, name=name)
    return run_of(backend, [suite(n=20)], folder, settings=settings, checkpoint=name)  # type: ignore[arg-type]


def test_a_flip_within_the_spread_of_repeats_is_a_tie_and_a_clear_one_is_not(tmp_path: Path) -> None:
    before = [
        run(tmp_path, {}, name="before"),
        run(tmp_path, {}, name="before", shift=0.03, replicate=1),
    ]
    after = run(tmp_path, LEADS, name="after")
    found = compare(before, after)
    (pairs,) = found.suites
    assert pairs.floor is not None
    # By construction: every margin moved by .03 between the two repeats.
    assert pairs.floor.nats == pytest.approx(0.03)
    assert pairs.floor.n_replicates == 2
    assert [(flip.kind, flip.is_tie) for flip in found.flips] == [("lost", False), ("lost", True)]


def test_without_repeats_there_is_no_floor_and_no_tie(tmp_path: Path) -> None:
    found = compare(run(tmp_path, {}, name="before"), run(tmp_path, LEADS, name="after"))
    assert found.suites[0].floor is None
    assert not any(flip.is_tie for flip in found.flips)


def test_repeats_differ_in_nothing_but_how_the_numbers_are_computed() -> None:
    first, *others = replicate_settings(EvaluationSettings(seed=3), 5)
    assert first == EvaluationSettings(seed=3)
    assert [each.replicate for each in others] == [1, 2, 3, 4]
    assert len({each.batch_tokens for each in others}) == 4
    assert {each.hashed()["seed"] for each in others} == {3}
    with pytest.raises(UsageError, match="at least one run"):
        replicate_settings(EvaluationSettings(), 0)
