from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import RunInProgress
from harness.store import Store, open_store
from harness.store.files import place_of
from harness.store.lock import ABANDONED_SECONDS, BEAT_SECONDS, acquired, holder_of
from tests.store.tiny_run import RUN_ID, header

REPOSITORY = Path(__file__).resolve().parents[2]
HOLDER = (
    "import sys\n"
    "from harness.store import RunHeader, open_store\n"
    f"writer = open_store(sys.argv[1], create=True).begin(RunHeader({RUN_ID!r}, 'plan-1'))\n"
)
WAITING = HOLDER + "print('held', flush=True)\nsys.stdin.read()\n"
# A worker that outlives its parent, as those of a data loader may.
FORKING = (
    HOLDER
    + "import os, time\n"
    + "worker = os.fork()\n"
    # The worker speaks: by then it has let go of what the fork handed it.
    + "if worker == 0:\n    print(os.getpid(), flush=True)\n    time.sleep(60)\n    os._exit(0)\n"
    + "sys.stdin.read()\n"
)


def _child(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_is_told_who_writes_and_takes_over_after_a_kill(tmp_path: Path) -> None:
    with _child(WAITING, tmp_path / "runs") as child:
        assert child.stdout is not None
        child.stdout.readline()
        store = open_store(tmp_path / "runs")
        with pytest.raises(
            RunInProgress, match=rf"process {child.pid} on .* since .*what is finished is kept"
        ):
            store.begin(header())
        with pytest.raises(RunInProgress, match=f"process {child.pid}"):
            store.run(RUN_ID)
        (unfinished,) = store.unfinished()
        assert unfinished.holder is not None and unfinished.holder.pid == child.pid
        child.kill()
    assert store.unfinished()[0].holder is None
    store.begin(header()).close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_worker_that_outlives_its_killed_parent_does_not_hold_the_run(tmp_path: Path) -> None:
    with _child(FORKING, tmp_path / "runs") as child:
        assert child.stdout is not None
        worker = int(child.stdout.readline())
        try:
            child.kill()
            child.wait()
            open_store(tmp_path / "runs").begin(header()).close()
        finally:
            os.kill(worker, signal.SIGKILL)


def test_one_process_cannot_write_a_run_twice_at_once(store: Store) -> None:
    writer = store.begin(header())
    with pytest.raises(RunInProgress, match=f"process {os.getpid()}"):
        store.begin(header())
    writer.close()
    writer.close()
    store.begin(header()).close()


def test_two_runs_are_written_at_once(store: Store) -> None:
    with store.begin(header("run00001")), store.begin(header("run00002")):
        assert [run.run_id for run in store.unfinished()] == ["run00001", "run00002"]


def _write_lock(store: Store, **fields: object) -> str:
    """Plants the record of another writer; gives the path of the lock."""
    store.begin(header()).close()
    place = place_of(store.url)
    record = {"pid": 1, "host": "elsewhere", "since": 0.0, "seen": 1000.0, **fields}
    place.replace(f"{RUN_ID}/lock", json.dumps(record).encode())
    return place.shown(f"{RUN_ID}/lock")


def test_a_writer_on_another_host_seen_lately_is_alive(store: Store) -> None:
    path = _write_lock(store)
    with pytest.raises(RunInProgress, match="process 1 on elsewhere.*If that host is gone, remove") as raised:
        acquired(place_of(store.url), RUN_ID, clock=lambda: 1000.0 + ABANDONED_SECONDS - 1)
    assert path in str(raised.value)


def test_a_writer_on_another_host_not_seen_for_long_is_dead(store: Store) -> None:
    _write_lock(store)
    place = place_of(store.url)

    def late() -> float:
        return 1000.0 + ABANDONED_SECONDS + 1

    assert holder_of(place, RUN_ID, clock=late) is None
    acquired(place, RUN_ID, clock=late).release()


def test_the_record_of_a_dead_process_of_this_host_does_not_hold_a_run_anywhere(store: Store) -> None:
    import socket

    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    _write_lock(store, pid=child.pid, host=socket.gethostname())
    store.begin(header()).close()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"pid": 3}'])
def test_a_torn_lock_record_does_not_hold_a_run(store: Store, data: bytes) -> None:
    store.begin(header()).close()
    place_of(store.url).replace(f"{RUN_ID}/lock", data)
    store.begin(header()).close()


def test_a_writer_says_now_and_then_that_it_lives(store: Store) -> None:
    now = 1000.0
    store.begin(header()).close()
    place = place_of(store.url)
    lock = acquired(place, RUN_ID, clock=lambda: now)
    now += BEAT_SECONDS - 1
    lock.beat()
    assert json.loads(place.read(f"{RUN_ID}/lock") or b"")["seen"] == 1000.0
    now += 1
    lock.beat()
    assert json.loads(place.read(f"{RUN_ID}/lock") or b"")["seen"] == 1000.0 + BEAT_SECONDS
    lock.release()
    assert place.read(f"{RUN_ID}/lock") is None
