from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.core.errors import RunInProgress, RunNotFound, StoreError, UnknownName
from harness.core.exchange import TextScored
from harness.store import Store, open_store
from tests.store.tiny_run import RUN_ID, SUITE_DIGEST, header, item_rows, manifest, tables, write_run


def test_a_finished_run_reads_back_as_written(store: Store) -> None:
    write_run(store)
    run = store.run(RUN_ID)
    assert run.manifest.counts == {"requests": 3, "answered": 2, "failed": 1}
    scores = run.scores()
    # By item, then variant: item ia has the variants va and vc, ib has vb.
    assert scores["variant_id"].tolist() == ["va", "vc", "vb"]
    assert scores["value"].isna().tolist() == [False, True, False]
    assert scores["value"].tolist()[::2] == [1.0, 0.0]
    assert scores["sample"].dtype == "int64"
    outputs = run.outputs().set_index("variant_id")
    assert outputs.loc["vb", "option_logprobs"].tolist() == [-0.1, float("-inf")]
    assert outputs.loc["va", "text"] == " Paris 巴黎"
    assert outputs.loc["vb", "text"] is None
    assert outputs.loc["va", "tokens"] == 3
    assert run.errors()["error_class"].tolist() == ["wrong_option"]
    assert run.variants("geo")["variant_id"].tolist() == ["va", "vc", "vb"]
    run.verify()


def test_a_run_lies_in_the_documented_files(local_store: Store) -> None:
    write_run(local_store)
    folder = Path(local_store.url)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        f"{RUN_ID}/manifest.json",
        f"{RUN_ID}/scores.parquet",
        f"{RUN_ID}/outputs.parquet",
        f"{RUN_ID}/errors.parquet",
        f"items/{SUITE_DIGEST}.parquet",
    }


def test_the_manifest_lists_the_hash_of_every_file(local_store: Store) -> None:
    import hashlib

    run = write_run(local_store)
    folder = Path(local_store.url)
    assert set(run.manifest.files) == {
        "scores.parquet", "outputs.parquet", "errors.parquet", f"items/{SUITE_DIGEST}.parquet",
    }  # fmt: skip
    for file, digest in run.manifest.files.items():
        path = Path(run.path(file))
        assert path.is_relative_to(folder)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_equal_runs_are_equal_bytes(tmp_path: Path) -> None:
    first, second = (write_run(open_store(tmp_path / name, create=True)) for name in ("one", "two"))
    assert first.manifest == second.manifest


def test_runs_are_listed_newest_first(store: Store) -> None:
    write_run(store, "aaaa1111", created="2026-01-01T00:00:00+00:00")
    write_run(store, "bbbb2222", created="2026-03-01T00:00:00+00:00")
    write_run(store, "cccc3333", created="2026-02-01T00:00:00+00:00")
    assert [found.run_id for found in store.runs()] == ["bbbb2222", "cccc3333", "aaaa1111"]


def test_a_damaged_run_is_named_and_hides_no_other(tmp_path: Path) -> None:
    store = open_store(tmp_path / "runs", create=True)
    write_run(store, "aaaa1111")
    write_run(store, "bbbb2222")
    (tmp_path / "runs" / "aaaa1111" / "manifest.json").write_text("{", encoding="utf-8")
    assert [found.run_id for found in store.runs()] == ["bbbb2222"]
    (error,) = store.unreadable()
    assert "aaaa1111" in str(error) and "damaged" in str(error)


def test_a_run_is_found_by_id_by_name_and_by_its_first_letters(store: Store) -> None:
    write_run(store)
    store.set_name("production", RUN_ID, reason="first", author="test")
    for ref in (RUN_ID, "production", RUN_ID[:4], RUN_ID[:20]):
        assert store.run(ref).run_id == RUN_ID


def test_letters_that_begin_several_ids_are_ambiguous(store: Store) -> None:
    write_run(store, "abcd1111")
    write_run(store, "abcd2222")
    with pytest.raises(
        StoreError, match="2 runs begin with 'abcd': 'abcd1111', 'abcd2222'; give more letters"
    ):
        store.run("abcd")


def test_three_letters_are_too_few(store: Store) -> None:
    write_run(store)
    with pytest.raises(RunNotFound):
        store.run(RUN_ID[:3])


def test_an_unknown_run_suggests_near_names(store: Store) -> None:
    write_run(store)
    store.set_name("production", RUN_ID, reason="first", author="test")
    with pytest.raises(RunNotFound, match="Did you mean 'production'"):
        store.run("prodution")
    with pytest.raises(RunNotFound, match=f"Did you mean '{RUN_ID}'"):
        store.run("1" + RUN_ID[1:])
    with pytest.raises(RunNotFound, match=f"Known: production, {RUN_ID}"):
        store.run("zzzz")


def test_an_empty_store_says_how_to_make_a_run(store: Store) -> None:
    with pytest.raises(RunNotFound, match="holds no runs; make one with `harness run`"):
        store.run("production")


def test_a_folder_without_a_manifest_is_never_a_finished_run(store: Store) -> None:
    writer = store.begin(header())
    writer.commit_pack({"r1": TextScored(-1.0, 2)})
    writer.close()
    assert not store.has(RUN_ID)
    assert store.runs() == []
    with pytest.raises(RunInProgress, match="broken off before its end; give the same command again"):
        store.run(RUN_ID)
    (left,) = store.unfinished()
    assert (left.run_id, left.holder, left.n_segments) == (RUN_ID, None, 1)


def test_files_without_their_manifest_are_no_run(local_store: Store) -> None:
    run = write_run(local_store)
    Path(run.path("scores.parquet")).with_name("manifest.json").unlink()
    assert not local_store.has(RUN_ID)
    assert local_store.runs() == []


def test_a_finished_run_cannot_be_begun_again(store: Store) -> None:
    write_run(store)
    with pytest.raises(StoreError, match="is finished, and finished runs are not changed"):
        store.begin(header())


def test_a_damaged_file_is_found_by_its_hash(local_store: Store) -> None:
    run = write_run(local_store)
    path = Path(run.path("scores.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(StoreError, match=r"scores\.parquet is damaged \(its hash differs"):
        local_store.run(RUN_ID).verify()


def test_a_missing_file_is_named(local_store: Store) -> None:
    run = write_run(local_store)
    Path(run.path("outputs.parquet")).unlink()
    with pytest.raises(StoreError, match=r"outputs\.parquet is absent"):
        run.outputs()
    with pytest.raises(StoreError, match=r"outputs\.parquet is absent"):
        run.verify()


@pytest.mark.parametrize("end", [0, 3, 100, -1])
def test_a_table_cut_short_is_damaged(local_store: Store, end: int) -> None:
    run = write_run(local_store)
    path = Path(run.path("scores.parquet"))
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(StoreError, match=r"scores\.parquet is damaged"):
        run.scores()


def test_a_flipped_bit_in_a_page_is_never_read_as_a_value(local_store: Store) -> None:
    run = write_run(local_store)
    path = Path(run.path("scores.parquet"))
    whole, expected = path.read_bytes(), run.scores()
    for place in range(4, 400, 13):
        data = bytearray(whole)
        data[place] ^= 0x10
        path.write_bytes(bytes(data))
        try:
            read = run.scores()
        except StoreError:
            continue
        assert read.equals(expected)  # a bit that no reader looks at


def test_a_renamed_run_folder_is_refused(local_store: Store) -> None:
    write_run(local_store)
    shutil.copytree(Path(local_store.url) / RUN_ID, Path(local_store.url) / "someoneelse")
    with pytest.raises(StoreError, match=f"is of run '{RUN_ID}'; give the folder that name again"):
        local_store.run("someoneelse")


def test_an_unknown_suite_or_file_of_a_run_is_named(store: Store) -> None:
    run = write_run(store)
    with pytest.raises(UnknownName, match="Did you mean 'geo'"):
        run.variants("gea")
    with pytest.raises(StoreError, match=r"has no file 'score\.parquet'; it has errors\.parquet"):
        run.path("score.parquet")


def test_a_removed_run_is_gone_and_its_items_stay(store: Store) -> None:
    write_run(store)
    other = write_run(store, "othe0000")
    assert store.remove(RUN_ID[:6]) == RUN_ID
    assert [found.run_id for found in store.runs()] == ["othe0000"]
    other.verify()
    with pytest.raises(RunNotFound):
        store.run(RUN_ID)


def test_a_named_run_is_not_removed(store: Store) -> None:
    write_run(store)
    store.set_name("production", RUN_ID, reason="first", author="test")
    with pytest.raises(StoreError, match="is named 'production' and is kept; point the name at another run"):
        store.remove("production")
    store.remove_name("production", reason="retired", author="test")
    store.remove(RUN_ID)
    assert not store.has(RUN_ID)


def test_a_run_left_behind_can_be_removed_but_not_one_that_is_written(store: Store) -> None:
    writer = store.begin(header())
    with pytest.raises(RunInProgress, match="being written by process"):
        store.remove(RUN_ID)
    writer.close()
    store.remove(RUN_ID)
    assert store.unfinished() == []


@pytest.mark.parametrize(
    "run_id",
    ["", ".", "..", "../up", "a/b", ".hidden", "a b", "a\n", "运行", "x" * 129, "items", "Names", "a\\b"],
)
def test_a_run_id_that_is_no_plain_file_name_is_refused(store: Store, run_id: str) -> None:
    with pytest.raises(StoreError, match="run id"):
        store.begin(header(run_id))
    with pytest.raises(StoreError, match="run id"):
        store.has(run_id)


def test_opening_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store at .*runs"):
        open_store(tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_file_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "runs"
    path.write_text("")
    with pytest.raises(StoreError, match="is a file, not a folder"):
        open_store(path, create=True)
    with pytest.raises(StoreError, match="Could not write"):
        open_store(path / "below", create=True)


def test_a_store_at_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(StoreError, match="is no place for a store"):
        open_store("gopher://runs")


def test_a_file_url_is_a_local_store(tmp_path: Path) -> None:
    write_run(open_store(f"file://{tmp_path}/runs", create=True))
    assert open_store(tmp_path / "runs").has(RUN_ID)


def test_items_put_twice_are_kept_once(store: Store) -> None:
    first = store.put_items(SUITE_DIGEST, item_rows())
    second = store.put_items(SUITE_DIGEST, list(reversed(item_rows())))
    assert first == second == f"items/{SUITE_DIGEST}.parquet"


def test_other_variants_under_one_suite_digest_are_refused(store: Store) -> None:
    store.put_items(SUITE_DIGEST, item_rows())
    with pytest.raises(StoreError, match="holds other variants or targets under suite digest"):
        store.put_items(SUITE_DIGEST, item_rows()[:2])


def test_a_new_tag_neither_changes_the_items_of_old_runs_nor_stops_new_ones(store: Store) -> None:
    old = write_run(store)
    store.put_items(SUITE_DIGEST, item_rows(tags='{"domain":"law"}'))
    with store.begin(header("newer0000")) as writer:
        new = writer.finish(manifest("newer0000"), **tables())
    assert old.variants("geo")["tags"].tolist() == ["{}"] * 3
    assert new.variants("geo")["tags"].tolist() == ['{"domain":"law"}'] * 3
    old.verify()
    new.verify()


def test_the_store_is_read_without_being_written(local_store: Store) -> None:
    write_run(local_store)
    folder = Path(local_store.url)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    run = open_store(folder).run(RUN_ID)
    run.scores(), run.outputs(), run.errors(), run.variants("geo"), run.verify()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
