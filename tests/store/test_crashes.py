"""Writers killed and disks filled at every point: what was committed is there, the rest is not, nothing is mixed."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import StoreError
from harness.core.exchange import TextScored
from harness.store import RunWriter, Store, open_store
from tests.store.tiny_run import RUN_ID, SUITE_DIGEST, header, item_rows, manifest, tables

REPOSITORY = Path(__file__).resolve().parents[2]
PACK = 5

WRITER = f"""
import sys
from harness.core.exchange import TextScored
from harness.store import RunHeader, open_store
writer = open_store(sys.argv[1], create=True).begin(RunHeader({RUN_ID!r}, "plan-1"))
n = len(writer.answered())
print("begun", n, flush=True)
while True:
    writer.commit_pack({{f"r{{n + i}}": TextScored(-(n + i) / 7, n + i) for i in range({PACK})}})
    n += {PACK}
    print("committed", n, flush=True)
"""


def answers(n: int) -> dict[str, TextScored]:
    return {f"r{number}": TextScored(-number / 7, number) for number in range(n)}


def test_a_run_killed_at_any_moment_keeps_exactly_the_committed_packs(tmp_path: Path) -> None:
    rng = random.Random(7)
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "runs")],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(rng.uniform(0, 0.05))
            child.kill()
            told = child.stdout.read().split()
        with open_store(tmp_path / "runs").begin(header()) as writer:
            found = writer.answered()
        # The kill may fall between the commit and its being told.
        assert len(found) % PACK == 0
        assert found == answers(len(found))
        if told:
            assert len(found) - int(told[-1]) in (0, PACK)


class Killed(BaseException):
    """Stands for SIGKILL inside this process."""


class CallsOfTheSystem:
    """`os` that counts the calls that change a disk and fails from the n-th on."""

    CALLS = ("open", "write", "fsync", "link", "replace", "rename")

    def __init__(self, n: int, fault: Callable[[], BaseException], *, stays: bool) -> None:
        self.left = n
        self._fault = fault
        self._stays = stays

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.CALLS:
            return real

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 or (self._stays and self.left < 0):
                raise self._fault()
            return real(*args, **kwargs)

        return counted


def _let_go(writer: RunWriter) -> None:
    """What the operating system does for a process that died: closes its descriptors, and nothing else."""
    descriptor = writer._lock._descriptor
    assert descriptor is not None
    os.close(descriptor)


def _begun(store: Store) -> RunWriter:
    store.put_items(SUITE_DIGEST, item_rows())
    writer = store.begin(header(command="harness run x"))
    writer.commit_pack(answers(2))
    return writer


def test_a_commit_killed_at_any_system_call_is_whole_or_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = set()
    for n in range(1, 40):
        store = open_store(tmp_path / f"runs{n}", create=True)
        writer = _begun(store)
        killed = False
        with monkeypatch.context() as patched:
            patched.setattr("harness.store.files.os", CallsOfTheSystem(n, Killed, stays=True))
            try:
                writer.commit_pack({"r2": TextScored(-2 / 7, 2), "r3": TextScored(-3 / 7, 3)})
            except Killed:
                killed = True
        _let_go(writer)
        with store.begin(header()) as resumed:
            found = resumed.answered()
        assert found in (answers(2), answers(4)), f"killed at call {n}"
        outcomes.add(len(found))
        if not killed:
            assert found == answers(4)
            break
    else:
        pytest.fail("more system calls than expected: widen the range")
    assert outcomes == {2, 4}


def test_a_finish_killed_at_any_system_call_is_a_finished_run_or_one_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = set()
    for n in range(1, 80):
        store = open_store(tmp_path / f"runs{n}", create=True)
        writer = _begun(store)
        killed = False
        with monkeypatch.context() as patched:
            patched.setattr("harness.store.files.os", CallsOfTheSystem(n, Killed, stays=True))
            try:
                writer.finish(manifest(), **tables())
            except Killed:
                killed = True
        if not killed:
            break
        _let_go(writer)
        outcomes.add(store.has(RUN_ID))
        if store.has(RUN_ID):
            store.run(RUN_ID).verify()
            continue
        with store.begin(header()) as resumed:
            assert resumed.answered() == answers(2), f"killed at call {n}"
            resumed.finish(manifest(), **tables()).verify()
    else:
        pytest.fail("more system calls than expected: widen the range")
    assert outcomes == {False, True}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", range(1, 4))
def test_a_full_disk_while_committing_says_what_is_safe_and_loses_nothing(
    local_store: Store, monkeypatch: pytest.MonkeyPatch, code: int, call: int
) -> None:
    writer = _begun(local_store)
    with monkeypatch.context() as patched:
        full = CallsOfTheSystem(call, lambda: OSError(code, os.strerror(code)), stays=False)
        patched.setattr("harness.store.files.os", full)
        with pytest.raises(StoreError) as raised:
            writer.commit_pack({"r9": TextScored(-1.0, 1)})
    message = str(raised.value)
    assert "No space left to write" in message
    assert "1 pack is safe in" in message
    assert "give `harness run x` again" in message
    assert writer.answered() == answers(2)
    # After making room the same writer goes on.
    writer.commit_pack({"r2": TextScored(-2 / 7, 2)})
    assert writer.answered() == answers(3)
    writer.close()
    assert list(Path(local_store.url).rglob("*.part-*")) == []


@pytest.mark.parametrize("call", [1, 2, 3, 8, 20])
def test_a_full_disk_while_finishing_keeps_the_journal(
    local_store: Store, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    writer = _begun(local_store)
    with monkeypatch.context() as patched:
        full = CallsOfTheSystem(call, lambda: OSError(errno.ENOSPC, "full"), stays=True)
        patched.setattr("harness.store.files.os", full)
        with pytest.raises(StoreError, match=r"No space left.*Nothing committed is lost: 1 pack is safe"):
            writer.finish(manifest(), **tables())
    assert not local_store.has(RUN_ID)
    assert writer.answered() == answers(2)
    writer.finish(manifest(), **tables()).verify()


def test_a_disk_without_permission_names_the_remedy(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = _begun(local_store)
    with monkeypatch.context() as patched:
        denied = CallsOfTheSystem(1, lambda: PermissionError(errno.EROFS, "read-only"), stays=False)
        patched.setattr("harness.store.files.os", denied)
        with pytest.raises(StoreError, match="No permission to write .*choose another store"):
            writer.commit_pack(answers(1))
    writer.close()


def test_a_file_system_without_hard_links_still_commits(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoLinks(CallsOfTheSystem):
        CALLS = ("link",)

    writer = _begun(local_store)
    with monkeypatch.context() as patched:
        refused = NoLinks(1, lambda: OSError(errno.ENOTSUP, "no links"), stays=True)
        patched.setattr("harness.store.files.os", refused)
        writer.commit_pack({"r2": TextScored(-2 / 7, 2)})
    assert writer.answered() == answers(3)
    writer.close()


def test_a_removal_that_breaks_off_leaves_no_finished_run(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begun(local_store).finish(manifest(), **tables())

    def broken(path: str) -> None:
        raise OSError(errno.EIO, "gone")

    with monkeypatch.context() as patched:
        patched.setattr("harness.store.files.shutil.rmtree", broken)
        with pytest.raises(StoreError, match="Could not remove"):
            local_store.remove(RUN_ID)
    assert not local_store.has(RUN_ID)
    assert local_store.runs() == []


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs resource limits of POSIX")
def test_a_real_limit_on_file_size_is_reported_and_loses_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from harness.core.errors import StoreError\n"
        "from harness.core.exchange import TextScored\n"
        "from harness.store import RunHeader, open_store\n"
        f"writer = open_store(sys.argv[1], create=True).begin(RunHeader({RUN_ID!r}, 'plan-1'))\n"
        "writer.commit_pack({'r0': TextScored(-0.0, 0)})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    writer.commit_pack({f'r{i}': TextScored(-i / 7, i) for i in range(1000)})\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runs")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "No space left to write" in done.stdout
    assert "1 pack is safe" in done.stdout
    with open_store(tmp_path / "runs").begin(header()) as writer:
        assert writer.answered() == answers(1)
