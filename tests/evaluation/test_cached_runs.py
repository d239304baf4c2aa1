"""A run asks the model only what was never asked of it, and says exactly what it would have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.core.exchange import GenerationSettings, Request
from harness.core.items import Prompt, Target, Text
from harness.engine import Checkpoint, LocalBackend, open_checkpoint
from harness.evaluation import EvaluationSettings, evaluate
from harness.prompting import Asking
from harness.store import ResponseCache, StoredRun
from harness.suites import Suite
from tests.evaluation.made_suites import suite


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of every request that reaches a model."""
    reached: list[str] = []
    answer = LocalBackend.answer

    def counting(self: LocalBackend, requests: Sequence[Request], **options: object) -> object:
        done = options.get("done", ())
        reached.extend(request.request_id for request in requests if request.request_id not in done)  # type: ignore[operator]
        return answer(self, requests, **options)

    monkeypatch.setattr(LocalBackend, "answer", counting)
    return reached


@pytest.fixture
def checkpoint(tiny_checkpoint: Path) -> Checkpoint:
    return open_checkpoint(tiny_checkpoint, device="cpu")


SHORT = Asking(task="short_answer", generation=GenerationSettings(max_tokens=4))
SAMPLED = Asking(task="short_answer", generation=GenerationSettings(max_tokens=4, temperature=1.0), samples=2)


def suites(n: int = 6) -> list[Suite]:
    return [
        suite("letters", n),
        suite("words", n, task="short_answer", asking=SHORT),
        suite("drawn", n, task="short_answer", asking=SAMPLED),
    ]


def run(checkpoint: Checkpoint, made: list[Suite], folder: Path, store: str, **options: object) -> StoredRun:
    with ResponseCache(folder / "responses.sqlite") as cache:
        return evaluate(
            checkpoint,
            made,
            store=folder / store,
            settings=EvaluationSettings(**options),
            cache=cache,  # type: ignore[arg-type]
        )


def outputs(stored: StoredRun) -> pd.DataFrame:
    return stored.outputs().drop(columns=["seconds"])


def test_the_same_run_in_another_store_asks_nothing_and_says_the_same(
    checkpoint: Checkpoint, tmp_path: Path, asked: list[str]
) -> None:
    first = run(checkpoint, suites(), tmp_path, "one")
    assert len(asked) == 18
    assert first.manifest.counts["cached"] == 0
    assert first.outputs()["seconds"].notna().all()
    checkpoint.close()
    second = run(checkpoint, suites(), tmp_path, "two")
    assert len(asked) == 18
    assert checkpoint._model is None  # not even loaded
    counts = second.manifest.counts
    assert (counts["requests"], counts["asked"], counts["cached"], counts["resumed"]) == (18, 0, 18, 0)
    assert second.run_id == first.run_id
    pd.testing.assert_frame_equal(outputs(first), outputs(second))
    pd.testing.assert_frame_equal(first.scores(), second.scores())
    assert second.outputs()["seconds"].isna().all()
    described = second.manifest.environment["backend"]["cache"]
    assert described == {"hits": 18, "misses": 0}


def test_another_suite_name_limit_and_seed_ask_only_what_is_drawn_anew(
    checkpoint: Checkpoint, tmp_path: Path, asked: list[str]
) -> None:
    run(checkpoint, suites(), tmp_path, "runs")
    asked.clear()
    renamed = [replace(each, name=f"my-{each.name}", version="2") for each in suites()]
    run(checkpoint, renamed, tmp_path, "runs")
    run(checkpoint, suites(), tmp_path, "runs", limit=3)
    assert asked == []
    reseeded = run(checkpoint, suites(), tmp_path, "runs", seed=1)
    assert len(asked) == 6  # the sampled suite alone
    assert (reseeded.manifest.counts["asked"], reseeded.manifest.counts["cached"]) == (6, 12)


def test_a_changed_item_costs_only_itself(checkpoint: Checkpoint, tmp_path: Path, asked: list[str]) -> None:
    made = suite("letters", 8)
    run(checkpoint, [made], tmp_path, "runs")
    asked.clear()
    prompt = Prompt(question=Text("Another question altogether?"), options=("alpha", "beta", "gamma"))
    items = (replace(made.items[0], prompt=prompt), *made.items[1:])
    stored = run(checkpoint, [replace(made, items=items)], tmp_path, "runs")
    assert len(asked) == stored.manifest.counts["asked"] == 1
    # What is right is no part of what is asked.
    retargeted = tuple(replace(item, target=Target(option=1)) for item in made.items)
    run(checkpoint, [replace(made, items=retargeted)], tmp_path, "runs")
    assert len(asked) == 1


def test_a_replicate_another_dtype_and_another_checkpoint_are_asked_anew(
    checkpoint: Checkpoint,
    tiny_checkpoint: Path,
    tiny_chat_checkpoint: Path,
    tmp_path: Path,
    asked: list[str],
) -> None:
    made = [suite("letters", 4)]
    run(checkpoint, made, tmp_path, "runs")
    run(checkpoint, made, tmp_path, "runs", replicate=1)
    run(open_checkpoint(tiny_checkpoint, device="cpu", dtype="bfloat16"), made, tmp_path, "runs")
    run(open_checkpoint(tiny_chat_checkpoint, device="cpu"), made, tmp_path, "runs")
    assert len(asked) == 16


def test_without_a_cache_everything_is_asked(
    checkpoint: Checkpoint, tmp_path: Path, asked: list[str]
) -> None:
    for store in ("one", "two"):
        stored = evaluate(checkpoint, [suite("letters", 4)], store=tmp_path / store)
        assert stored.manifest.counts["cached"] == 0
    assert len(asked) == 8


def test_a_checkpoint_that_runs_its_own_code_is_not_cached(
    tiny_checkpoint: Path, tmp_path: Path, asked: list[str]
) -> None:
    opened = open_checkpoint(tiny_checkpoint, device="cpu", trust_remote_code=True)
    for store in ("one", "two"):
        run(opened, [suite("letters", 4)], tmp_path, store)
    assert len(asked) == 8


def test_prompts_that_were_cut_are_counted_in_every_run(
    checkpoint: Checkpoint, tmp_path: Path, asked: list[str]
) -> None:
    made = suite("letters", 3)
    long = replace(made.items[0].prompt, question=Text("long question " * 300))
    made = replace(made, items=(replace(made.items[0], prompt=long), *made.items[1:]))
    found = []
    for store in ("one", "two"):
        stored = run(checkpoint, [made], tmp_path, store, too_long="truncate-left")
        found.append(stored.manifest.environment["backend"])
    assert len(asked) == 3
    assert [each["truncated"] for each in found] == [1, 1]
    assert found[0]["truncated_ids"] == found[1]["truncated_ids"]
