"""The same store on S3, against a server in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.core.errors import RunInProgress, StoreError
from harness.core.exchange import TextScored
from harness.store import Store, open_store
from tests.store.tiny_run import RUN_ID, SUITE_DIGEST, header, item_rows, manifest, tables, write_run

pytest.importorskip("s3fs", reason="S3 needs s3fs: pip install 'sft-harness[s3]'")
server = pytest.importorskip("moto.server", reason="tests of S3 need moto: pip install 'moto[server,s3]'")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    threaded = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    threaded.start()
    host, port = threaded.get_host_and_port()
    yield f"http://{host}:{port}"
    threaded.stop()


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    bucket = s3fs.S3FileSystem()
    if bucket.exists("harness-test"):
        bucket.rm("harness-test", recursive=True)
    bucket.mkdir("harness-test")
    return open_store("s3://harness-test/runs", create=True)


def test_a_run_is_resumed_finished_named_and_read(store: Store) -> None:
    with store.begin(header()) as writer:
        writer.commit_pack({"r1": TextScored(-1.0, 2)})
    assert [run.n_segments for run in store.unfinished()] == [1]
    store.put_items(SUITE_DIGEST, item_rows())
    with store.begin(header()) as writer:
        assert writer.answered() == {"r1": TextScored(-1.0, 2)}
        writer.finish(manifest(), **tables())
    store.set_name("production", RUN_ID, reason="first", author="test")
    run = store.run("production")
    run.verify()
    assert run.scores()["variant_id"].tolist() == ["va", "vc", "vb"]
    assert run.variants("geo")["variant_id"].tolist() == ["va", "vc", "vb"]
    assert [found.run_id for found in store.runs()] == [RUN_ID]
    assert store.unfinished() == []


def test_segments_and_items_are_never_overwritten(store: Store) -> None:
    first = store.begin(header())
    first.commit_pack({"r1": TextScored(-1.0, 2)})
    with pytest.raises(RunInProgress):
        store.begin(header())
    first._next = 1  # as another process that took over at the same moment would count
    with pytest.raises(RunInProgress, match="written by another process"):
        first.commit_pack({"r2": TextScored(-1.0, 2)})
    first.close()
    store.put_items(SUITE_DIGEST, item_rows())
    with pytest.raises(StoreError, match="holds other variants"):
        store.put_items(SUITE_DIGEST, item_rows()[:1])


def test_a_run_is_removed_but_not_while_it_is_named(store: Store) -> None:
    write_run(store)
    store.set_name("production", RUN_ID, reason="first", author="test")
    with pytest.raises(StoreError, match="is named 'production'"):
        store.remove(RUN_ID)
    store.remove_name("production", reason="over", author="test")
    store.remove(RUN_ID)
    assert store.runs() == [] and store.unfinished() == []


def test_a_bucket_that_is_not_there_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError, match="Could not write s3://absent-bucket"):
        open_store("s3://absent-bucket/runs", create=True).begin(header())
