"""Stored outputs, read and scored anew, are what a fresh evaluation would say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.core.errors import UnknownName, UsageError
from harness.core.exchange import Answer, BackendFailure, GenerationSettings, Request
from harness.core.items import Target
from harness.core.rows import SuiteRecord
from harness.evaluation import EvaluationSettings, rescore
from harness.prompting import Asking
from harness.prompting.asking import Reading
from harness.store import StoredRun, open_store
from harness.suites import Suite
from tests.evaluation.made_suites import answering, is_picked, prompt_text, run_of, scripted, suite


def mixed(request: Request) -> Answer | str:
    """Right, wrong, unreadable and failed answers."""
    text = prompt_text(request)
    if is_picked(text, 0.1, seed="failed"):
        return BackendFailure("server", "503")
    return answering(lambda shown: is_picked(shown, 0.3))(request)


def with_gold(own: Suite, gold: str) -> Suite:
    """The suite with another right answer for every second item."""
    items = []
    for number, item in enumerate(own.items):
        option = item.prompt.options.index(gold) if item.prompt.options else None
        target = Target(option=option) if item.prompt.options else Target(answers=(gold,))
        items.append(replace(item, target=target) if number % 2 else item)
    return replace(own, items=tuple(items))


MANY = suite(n=30, plan=[{"typo": {"severity": 0.1}}])
FREE = suite("free", 20, task="short_answer", asking=Asking("short_answer", samples=2))


def same(one: StoredRun, two: StoredRun) -> None:
    assert one.run_id == two.run_id
    assert one.manifest.suites == two.manifest.suites
    for table in ("scores", "outputs", "errors"):
        pd.testing.assert_frame_equal(getattr(one, table)(), getattr(two, table)())


@pytest.mark.parametrize(
    "changed",
    [
        [with_gold(MANY, "beta"), FREE],
        [MANY, with_gold(FREE, "beta")],
        [MANY, replace(FREE, metrics=(*FREE.metrics, "rouge_l_score"))],
        [MANY, replace(FREE, primary="token_f1_score")],
        [replace(MANY, asking=Asking("multiple_choice", reading=Reading(normalise="characters"))), FREE],
    ],
    ids=["gold of options", "gold of texts", "metric", "primary", "reading"],
)
def test_rescored_is_what_a_fresh_run_says(tmp_path: Path, changed: list[Suite]) -> None:
    backend = scripted(mixed, name="mixed")
    store = open_store(tmp_path / "old", create=True)
    old = run_of(backend, [MANY, FREE], store)
    again = rescore(old, store=store, suites=changed)
    fresh = run_of(scripted(mixed, name="mixed"), changed, tmp_path / "fresh")
    assert again.run_id != old.run_id
    same(again, fresh)
    assert again.manifest.lineage == {"rescored_from": old.run_id}


def test_nothing_new_gives_the_run_itself(tmp_path: Path) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [MANY, FREE], store)
    assert rescore(old, store=store, suites=[MANY, FREE]).run_id == old.run_id


def test_a_metric_can_be_added(tmp_path: Path) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [FREE], store)
    again = rescore(old, store=store, suites=[FREE], metrics=["rouge_l_score", "exact_match"])
    assert [fact.name for fact in again.manifest.suites[0].metrics] == [*FREE.metrics, "rouge_l_score"]


def test_a_limited_run_is_rescored_on_its_own_items(tmp_path: Path) -> None:
    store = open_store(tmp_path, create=True)
    settings = EvaluationSettings(limit=7)
    old = run_of(scripted(mixed, name="mixed"), [MANY], store, settings=settings)
    again = rescore(old, store=store, suites=[with_gold(MANY, "beta")])
    assert set(again.outputs()["variant_id"]) == set(old.outputs()["variant_id"])


def test_other_prompts_cannot_be_rescored(tmp_path: Path) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [MANY], store)
    more = replace(MANY, items=(*MANY.items, *suite(n=1, first=99).items))
    expected = f"now asks 2 prompts that run {old.run_id} did not answer.*run the suite again"
    with pytest.raises(UsageError, match=expected):
        rescore(old, store=store, suites=[more])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            replace(MANY, asking=Asking("multiple_choice", reading=Reading(by="letter"))),
            "another read.by than",
        ),
        (
            replace(FREE, asking=replace(FREE.asking, generation=GenerationSettings(temperature=1.0))),
            "another generation than",
        ),
        (replace(FREE, asking=replace(FREE.asking, samples=3)), "another samples than"),
    ],
)
def test_what_was_asked_of_the_model_cannot_be_changed_afterwards(
    tmp_path: Path, changed: Suite, expected: str
) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [MANY, FREE], store)
    with pytest.raises(UsageError, match=expected):
        rescore(
            old, store=store, suites=[*(own for own in (MANY, FREE) if own.name != changed.name), changed]
        )


def test_a_suite_the_run_did_not_ask_is_told_with_those_it_did(tmp_path: Path) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [MANY], store)
    with pytest.raises(UsageError, match=r"did not ask suite 'leters'\. Did you mean 'letters'"):
        rescore(old, store=store, suites=[replace(MANY, name="leters")])


@pytest.mark.parametrize(
    ("metric", "error", "expected"),
    [
        ("acuracy", UnknownName, "No metric named 'acuracy'. Did you mean 'accuracy'"),
        ("exact_match", UsageError, "Metric 'exact_match' cannot score suite 'letters'"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(
    tmp_path: Path, metric: str, error: type[Exception], expected: str
) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [MANY], store)
    with pytest.raises(error, match=expected):
        rescore(old, store=store, suites=[MANY], metrics=[metric])


def test_a_suite_that_is_neither_given_nor_shipped_is_told(tmp_path: Path) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [MANY], store)
    with pytest.raises(UnknownName, match="No suite named 'letters'"):
        rescore(old, store=store)


def test_what_another_tool_scored_is_not_rescored(tmp_path: Path) -> None:
    store = open_store(tmp_path, create=True)
    old = run_of(scripted(mixed, name="mixed"), [MANY], store)
    record: SuiteRecord = replace(old.manifest.suites[0], source="lm_eval")
    old.manifest = replace(old.manifest, suites=(record,))
    with pytest.raises(UsageError, match="was scored by the tool it came from"):
        rescore(old, store=store)
