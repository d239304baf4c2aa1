"""One writer to a run: the lock that a killed process cannot leave behind.

On a local file system the operating system holds it and lets go when the process dies. Elsewhere, and between
hosts that share a folder without sharing locks, the record inside says who writes and when it was last seen.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.core.errors import RunInProgress, StoreError
from harness.store.files import Place

LOCK = "lock"
ABANDONED_SECONDS = 900.0  # a writer on another host that was not seen for so long is taken for dead
BEAT_SECONDS = 30.0

Clock = Callable[[], float]  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes a run: the process, its host, since when, and when it was last seen (seconds since 1970)."""

    pid: int
    host: str
    since: float
    seen: float

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {self.pid} on {self.host} since {since}"


class RunLock:
    """The held lock of one run. Make it with `acquired`; `beat` while writing, `release` at the end."""

    def __init__(
        self, place: Place, name: str, holder: Holder, *, descriptor: int | None, clock: Clock
    ) -> None:
        self._place = place
        self._name = name
        self._holder = holder
        self._descriptor = descriptor
        self._clock = clock
        self._is_held = True

    def beat(self) -> None:
        """Says that this writer is alive; writes at most every half minute."""
        now = self._clock()
        if now - self._holder.seen < BEAT_SECONDS:
            return
        self._holder = Holder(self._holder.pid, self._holder.host, self._holder.since, now)
        self._write()

    def release(self) -> None:
        """Lets go; a second call does nothing."""
        if not self._is_held:
            return
        self._is_held = False
        self._place.remove(self._name)
        if self._descriptor is not None:
            _HELD.discard(self._descriptor)
            os.close(self._descriptor)

    def _write(self) -> None:
        data = json.dumps(asdict(self._holder)).encode()
        if self._descriptor is None:
            self._place.replace(self._name, data)
            return
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, data, 0)
        except OSError as error:
            # The lock itself is the operating system's: without its record only the messages are poorer,
            # but a disk that takes no bytes is worth stopping for.
            raise StoreError(f"Could not write {self._place.shown(self._name)}: {error}.") from error


def acquired(place: Place, run_id: str, *, clock: Clock) -> RunLock:
    """Takes the lock of a run.

    Raises:
        RunInProgress: If a live process holds it.
    """
    name = f"{run_id}/{LOCK}"
    now = clock()
    holder = Holder(os.getpid(), socket.gethostname(), now, now)
    locking = _locking()
    if not place.is_local or locking is None:
        return _acquired_by_record(place, run_id, name, holder, clock=clock)
    descriptor = _locked_descriptor(Path(place.path(name)), locking)
    if descriptor is None:
        raise in_progress(place, run_id, _record(place, name))
    previous = _record(place, name)
    if previous is not None and previous.host != holder.host and now - previous.seen < ABANDONED_SECONDS:
        os.close(descriptor)
        raise in_progress(place, run_id, previous)
    _HELD.add(descriptor)
    _close_in_children()
    lock = RunLock(place, name, holder, descriptor=descriptor, clock=clock)
    lock._write()
    return lock


def holder_of(place: Place, run_id: str, *, clock: Clock) -> Holder | None:
    """Who writes a run at this moment, or None where it was left behind."""
    name = f"{run_id}/{LOCK}"
    holder = _record(place, name)
    if holder is None or not _may_live(holder, now=clock()):
        return None
    locking = _locking()
    if place.is_local and locking is not None and holder.host == socket.gethostname():
        return holder if _is_locked(Path(place.path(name)), locking) else None
    return holder


def in_progress(place: Place, run_id: str, holder: Holder | None) -> RunInProgress:
    """The error for a run that another process writes."""
    who = "another process" if holder is None else str(holder)
    advice = "Wait for it, or end that process and give the same command again: what is finished is kept."
    if holder is not None and holder.host != socket.gethostname():
        advice += f" If that host is gone, remove {place.shown(f'{run_id}/{LOCK}')}."
    return RunInProgress(f"Run '{run_id}' is being written by {who}. {advice}")


def _acquired_by_record(place: Place, run_id: str, name: str, holder: Holder, *, clock: Clock) -> RunLock:
    data = json.dumps(asdict(holder)).encode()
    if not place.create(name, data):
        previous = _record(place, name)
        if previous is not None and _may_live(previous, now=holder.since):
            raise in_progress(place, run_id, previous)
        # Two that take over at once may both pass here; the second then fails at its first segment,
        # whose number is taken, and nothing is mixed.
        place.remove(name)
        if not place.create(name, data):
            raise in_progress(place, run_id, _record(place, name))
    return RunLock(place, name, holder, descriptor=None, clock=clock)


def _locked_descriptor(path: Path, locking: ModuleType) -> int | None:
    """A descriptor that holds the lock, or None where another holds it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StoreError(f"Could not write {path}: {error}; choose another store.") from error
        try:
            locking.flock(descriptor, locking.LOCK_EX | locking.LOCK_NB)
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass  # the holder released it, which removes the file, between our two calls: try again
        except OSError as error:
            os.close(descriptor)
            raise StoreError(
                f"Could not lock {path}: {error}; choose a store on another file system."
            ) from error
        os.close(descriptor)


def _is_locked(path: Path, locking: ModuleType) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        locking.flock(descriptor, locking.LOCK_SH | locking.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _record(place: Place, name: str) -> Holder | None:
    """The record inside a lock; None where there is none, or where its writer was killed while writing it."""
    data = place.read(name)
    try:
        fields: Any = json.loads(data or b"{}")
        return Holder(int(fields["pid"]), str(fields["host"]), float(fields["since"]), float(fields["seen"]))
    except (ValueError, KeyError, TypeError):
        return None


def _may_live(holder: Holder, *, now: float) -> bool:
    if holder.host != socket.gethostname():
        return now - holder.seen < ABANDONED_SECONDS
    if os.name == "nt":  # signal 0 would end the process there
        return now - holder.seen < ABANDONED_SECONDS
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it lives and is another user's
    return True


def _locking() -> ModuleType | None:
    try:
        import fcntl
    except ImportError:  # Windows: the record alone decides
        return None
    return fcntl


# A forked worker inherits the descriptor and with it the lock, and would hold it after its parent was killed.
_HELD: set[int] = set()


@cache
def _close_in_children() -> None:
    os.register_at_fork(after_in_child=_close_held)


def _close_held() -> None:
    while _HELD:
        os.close(_HELD.pop())
