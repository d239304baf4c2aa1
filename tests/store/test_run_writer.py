from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import RunInProgress, StoreError
from harness.core.exchange import BackendFailure, TextScored
from harness.store import Store
from tests.store.tiny_run import RUN_ID, SUITE_DIGEST, header, item_rows, manifest, tables, write_run


def pack(*numbers: int) -> dict[str, TextScored]:
    return {f"r{number}": TextScored(-number / 7, number) for number in numbers}


def journal_of(store: Store) -> Path:
    return Path(store.url) / RUN_ID / "journal"


def test_committed_packs_are_there_after_resuming(store: Store) -> None:
    with store.begin(header()) as writer:
        assert writer.answered() == {}
        writer.commit_pack(pack(1, 2))
        writer.commit_pack(pack(3))
    with store.begin(header()) as writer:
        assert writer.answered() == pack(1, 2, 3)
        writer.commit_pack(pack(4))
        assert writer.answered() == pack(1, 2, 3, 4)


def test_segments_are_numbered_and_immutable(local_store: Store) -> None:
    with local_store.begin(header()) as writer:
        writer.commit_pack(pack(1))
        before = (journal_of(local_store) / "000001.jsonl").read_bytes()
        writer.commit_pack(pack(2))
        writer.commit_pack({})
    names = sorted(path.name for path in journal_of(local_store).iterdir())
    assert names == ["000001.jsonl", "000002.jsonl", "header.json"]
    assert (journal_of(local_store) / "000001.jsonl").read_bytes() == before


def test_the_header_keeps_the_plan(local_store: Store) -> None:
    local_store.begin(header(plan="p7", command="harness run x")).close()
    record = json.loads((journal_of(local_store) / "header.json").read_text())
    assert (record["run_id"], record["plan_digest"]) == (RUN_ID, "p7")
    assert record["extra"] == {"command": "harness run x"}


def test_another_plan_takes_over_the_answers_and_says_so(store: Store) -> None:
    with store.begin(header(plan="small")) as writer:
        writer.commit_pack(pack(1))
    with store.begin(header(plan="large")) as writer:
        assert writer.answered() == pack(1)
        writer.commit_pack(pack(2))
        assert writer.journalled().plan_digests == ("small", "large")


def test_the_journal_of_another_run_is_never_mixed_in(local_store: Store) -> None:
    with local_store.begin(header("other000")) as writer:
        writer.commit_pack(pack(9))
    (Path(local_store.url) / "other000").rename(Path(local_store.url) / RUN_ID)
    with pytest.raises(StoreError, match=f"is the journal of run 'other000', not of '{RUN_ID}'"):
        local_store.begin(header())


def test_a_segment_of_another_run_is_never_mixed_in(local_store: Store) -> None:
    with local_store.begin(header("other000")) as writer:
        writer.commit_pack(pack(9))
    segment = Path(local_store.url) / "other000" / "journal" / "000001.jsonl"
    with local_store.begin(header()) as writer:
        segment.rename(journal_of(local_store) / "000001.jsonl")
        with pytest.raises(StoreError, match=f"belongs to run 'other000', not to '{RUN_ID}'"):
            writer.answered()


def test_a_last_segment_cut_at_any_byte_is_left_out(local_store: Store) -> None:
    with local_store.begin(header()) as writer:
        writer.commit_pack(pack(1, 2))
        writer.commit_pack(pack(3, 4))
        last = journal_of(local_store) / "000002.jsonl"
        whole = last.read_bytes()
        for end in range(len(whole)):
            last.write_bytes(whole[:end])
            assert writer.answered() == pack(1, 2), f"cut at byte {end}"
        last.write_bytes(whole)
        assert writer.answered() == pack(1, 2, 3, 4)


def test_a_flipped_bit_anywhere_in_a_segment_is_found(local_store: Store) -> None:
    with local_store.begin(header()) as writer:
        writer.commit_pack(pack(1))
        segment = journal_of(local_store) / "000001.jsonl"
        whole = segment.read_bytes()
        for place in range(len(whole)):
            data = bytearray(whole)
            data[place] ^= 1
            segment.write_bytes(bytes(data))
            # A flip in the tail's own count or key leaves the checked answers whole.
            assert writer.answered() in ({}, pack(1)), f"bit at byte {place}"


def test_the_number_of_a_torn_segment_is_not_used_again(local_store: Store) -> None:
    with local_store.begin(header()) as writer:
        writer.commit_pack(pack(1))
        writer.commit_pack(pack(2))
    torn = journal_of(local_store) / "000002.jsonl"
    torn.write_bytes(torn.read_bytes()[:-5])
    with local_store.begin(header()) as writer:
        assert writer.answered() == pack(1)
        writer.commit_pack(pack(2))
        assert writer.answered() == pack(1, 2)
        assert writer.journalled().torn == ("000002.jsonl",)
    assert (journal_of(local_store) / "000003.jsonl").exists()


def test_a_torn_header_does_not_cost_answers(local_store: Store) -> None:
    with local_store.begin(header()) as writer:
        writer.commit_pack(pack(1))
    (journal_of(local_store) / "header.json").write_text('{"schema": 1, "run')
    with local_store.begin(header()) as writer:
        assert writer.answered() == pack(1)


def test_what_a_killed_writer_left_half_written_is_swept_away(local_store: Store) -> None:
    local_store.begin(header()).close()
    left = journal_of(local_store) / ".000001.jsonl.part-12-abcd"
    left.write_bytes(b"half")
    local_store.begin(header()).close()
    assert not left.exists()


def test_a_resume_asks_transient_failures_again_and_only_those(store: Store) -> None:
    failures = {
        "r1": BackendFailure("timeout", "60 s"),
        "r2": BackendFailure("server", "502"),
        "r3": BackendFailure("out_of_memory", "8 GB"),
        "r4": BackendFailure("nan_logits", "layer 3"),
        "r5": TextScored(-1.0, 1),
    }
    with store.begin(header()) as writer:
        writer.commit_pack(failures)
    with store.begin(header()) as writer:
        assert set(writer.answered()) == {"r4", "r5"}
        assert writer.answered(retry_failed=False) == failures
        writer.commit_pack({"r1": TextScored(-2.0, 1)})
        assert writer.answered()["r1"] == TextScored(-2.0, 1)


def test_two_writers_of_one_segment_number_do_not_mix(local_store: Store) -> None:
    writer = local_store.begin(header())
    (journal_of(local_store) / "000001.jsonl").write_bytes(b"of another process")
    with pytest.raises(RunInProgress, match=r"000001\.jsonl was written by another process"):
        writer.commit_pack(pack(1))
    writer.close()


def test_a_journal_of_a_newer_version_asks_for_an_upgrade(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = local_store.begin(header())
    with monkeypatch.context() as patched:
        patched.setattr("harness.store.journal.SCHEMA", 2)
        writer.commit_pack(pack(1))
    with pytest.raises(StoreError, match="schema: 2 is newer than 1.*upgrade"):
        writer.answered()
    writer.close()


def test_the_journal_is_gone_when_the_run_is_finished(local_store: Store) -> None:
    local_store.put_items(SUITE_DIGEST, item_rows())
    with local_store.begin(header()) as writer:
        writer.commit_pack(pack(1))
        run = writer.finish(manifest(), **tables())
    assert run.run_id == RUN_ID
    assert not journal_of(local_store).exists()
    with pytest.raises(StoreError, match="not open for writing"):
        writer.commit_pack(pack(2))


def test_a_run_is_not_finished_without_its_items(store: Store) -> None:
    with store.begin(header()) as writer:
        with pytest.raises(
            StoreError, match=f"Suite 'geo': .*put the items of suite digest '{SUITE_DIGEST}'"
        ):
            writer.finish(manifest(), **tables())
    assert not store.has(RUN_ID)


def test_a_manifest_of_another_run_is_refused(store: Store) -> None:
    with store.begin(header()) as writer:
        with pytest.raises(StoreError, match="The manifest is of run 'other000'"):
            writer.finish(manifest("other000"), **tables())


def test_a_run_that_another_process_finished_meanwhile_is_not_touched(local_store: Store) -> None:
    finished = write_run(local_store)
    path = Path(finished.path("scores.parquet")).with_name("manifest.json")
    whole = path.read_bytes()
    path.unlink()
    with local_store.begin(header()) as writer:
        path.write_bytes(whole)
        with pytest.raises(StoreError, match="was finished by another process"):
            writer.finish(manifest(created="2027-01-01T00:00:00+00:00"), **tables())
    local_store.run(RUN_ID).verify()
    assert path.read_bytes() == whole
