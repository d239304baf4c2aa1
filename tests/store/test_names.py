from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from harness.core.errors import RunInProgress, RunNotFound, StoreError
from harness.store import Store, open_store
from tests.store.tiny_run import RUN_ID, header, write_run


@pytest.fixture
def two_runs(store: Store) -> Store:
    write_run(store, "run00001")
    write_run(store, "run00002")
    return store


def test_a_name_moves_and_its_history_stays(two_runs: Store) -> None:
    two_runs.set_name("newest", "run00001", reason="first", author="ada")
    two_runs.set_name("newest", "run00002", reason="better", author="bob")
    assert two_runs.names() == {"newest": "run00002"}
    assert two_runs.run("newest").run_id == "run00002"
    first, second = two_runs.promotions()
    assert (first.number, first.run_id, first.previous, first.reason, first.author) == (
        1, "run00001", None, "first", "ada",
    )  # fmt: skip
    assert (second.number, second.run_id, second.previous) == (2, "run00002", "run00001")


def test_one_file_a_name_and_one_a_promotion(local_store: Store) -> None:
    write_run(local_store, "run00001")
    local_store.set_name("production", "run00001", reason="erste", author="ada")
    folder = Path(local_store.url)
    assert [path.name for path in (folder / "names").iterdir()] == ["production.json"]
    assert [path.name for path in (folder / "promotions").iterdir()] == ["000001.json"]
    record = json.loads((folder / "names" / "production.json").read_text())
    assert (record["run_id"], record["reason"], record["author"]) == ("run00001", "erste", "ada")


def test_a_removed_name_is_gone_and_its_history_stays(two_runs: Store) -> None:
    two_runs.set_name("production", "run00001", reason="first", author="ada")
    two_runs.remove_name("production", reason="retired", author="ada")
    assert two_runs.names() == {}
    assert [promotion.run_id for promotion in two_runs.promotions()] == ["run00001", None]
    with pytest.raises(RunNotFound, match="No run is named 'production'"):
        two_runs.remove_name("production", reason="again", author="ada")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b", "names", "生产", "x" * 129])
def test_a_name_that_is_no_plain_file_name_is_refused(two_runs: Store, name: str) -> None:
    with pytest.raises(StoreError, match="name"):
        two_runs.set_name(name, "run00001", reason="r", author="a")
    assert two_runs.names() == {}


@pytest.mark.parametrize("name", ["run00002", RUN_ID])
def test_a_name_that_looks_like_a_run_id_is_refused(two_runs: Store, name: str) -> None:
    with pytest.raises(StoreError, match="looks like a run id"):
        two_runs.set_name(name, "run00001", reason="r", author="a")


def test_only_a_finished_run_gets_a_name(store: Store) -> None:
    store.begin(header()).close()
    with pytest.raises(RunInProgress):
        store.set_name("production", RUN_ID, reason="r", author="a")
    with pytest.raises(RunNotFound):
        store.set_name("production", "absent00", reason="r", author="a")
    assert store.promotions() == ()


def test_a_name_whose_run_was_deleted_by_hand_says_so(local_store: Store) -> None:
    import shutil

    write_run(local_store, "run00001")
    local_store.set_name("production", "run00001", reason="r", author="a")
    shutil.rmtree(Path(local_store.url) / "run00001")
    with pytest.raises(RunNotFound, match="Run 'run00001' is not in .* any more"):
        local_store.run("production")


def test_promotions_at_the_same_moment_all_count_and_the_last_one_stands(local_store: Store) -> None:
    ids = [f"run0000{number}" for number in range(4)]
    for run_id in ids:
        write_run(local_store, run_id)

    def promote(run_id: str) -> None:
        for name in ("newest", f"of-{run_id}"):
            open_store(local_store.url).set_name(name, run_id, reason="race", author=run_id)

    threads = [threading.Thread(target=promote, args=(run_id,)) for run_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = local_store.promotions()
    assert [promotion.number for promotion in history] == list(range(1, 9))
    last = [promotion for promotion in history if promotion.name == "newest"][-1]
    assert local_store.names()["newest"] == last.run_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ('{"schema": 3}', "schema: 3 is newer"),
        ('{"schema": 1, "name": "production"}', "field 'at' is unknown or absent"),
    ],
)
def test_a_damaged_name_file_is_named(local_store: Store, text: str, expected: str) -> None:
    write_run(local_store, "run00001")
    local_store.set_name("production", "run00001", reason="r", author="a")
    (Path(local_store.url) / "names" / "production.json").write_text(text)
    with pytest.raises(StoreError, match=rf"production\.json.*{expected}"):
        local_store.names()


def test_a_baseline_moves_only_by_a_promotion(two_runs: Store) -> None:
    two_runs.set_name("production", "run00001", reason="first", author="ada")
    two_runs.set_name("production", "run00001", reason="the same again", author="ada")
    with pytest.raises(StoreError, match="harness baseline promote run00002 --name production --reason"):
        two_runs.set_name("production", "run00002", reason="better", author="bob")
    change = two_runs.promote(
        "production", "run00002", reason="better", author="bob", verdict="pass", policy="p"
    )
    assert two_runs.names() == {"production": "run00002"}
    assert (change.kind, change.verdict, change.policy, change.previous) == (
        "baseline",
        "pass",
        "p",
        "run00001",
    )
    assert two_runs.promotions()[-1] == change


def test_any_promoted_name_is_a_baseline_from_then_on(two_runs: Store) -> None:
    two_runs.set_name("stable", "run00001", reason="only a name", author="ada")
    two_runs.set_name("stable", "run00002", reason="still only a name", author="ada")
    assert not two_runs.is_baseline("stable")
    two_runs.promote("stable", "run00001", reason="released", author="ada")
    assert two_runs.is_baseline("stable")
    with pytest.raises(StoreError, match="'stable' is a baseline"):
        two_runs.set_name("stable", "run00002", reason="r", author="a")


def test_a_promotion_written_before_there_were_baselines_is_read(local_store: Store) -> None:
    write_run(local_store, "run00001")
    record = {
        "schema": 1, "number": 1, "name": "production", "run_id": "run00001", "previous": None, "reason": "r",
        "author": "a", "at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    for file in ("promotions/000001.json", "names/production.json"):
        path = Path(local_store.url) / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record))
    (change,) = local_store.promotions()
    assert (change.kind, change.verdict, change.run_id) == ("name", None, "run00001")
    assert local_store.names() == {"production": "run00001"}
