"""The SQLite file of the response cache: made, recognised, and set aside where it is damaged.

Losing it costs time only, so no fault of it ends a run: it says what is wrong, once, and goes on without.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from harness.core.errors import StoreError

T = TypeVar("T")
Tell = Callable[[str], None]

SCHEMA = 1  # raise with every change of the table or of `answer_bytes`
FILE_NAME = "responses.sqlite"
APPLICATION = 0x53465443  # "SFTC", in the file's header: whose file it is
BUSY_SECONDS = 10.0  # how long a writer waits for another one

_MAGIC = b"SQLite format 3\x00"
_APPLICATION_PLACE = slice(68, 72)  # https://www.sqlite.org/fileformat2.html#the_database_header
_TABLE = """
CREATE TABLE IF NOT EXISTS responses (
    key BLOB PRIMARY KEY,     -- digest of everything that the response depends on
    value BLOB NOT NULL,      -- checksum, flags, response
    writer BLOB NOT NULL,     -- which run of which store it was asked for
    used INTEGER NOT NULL     -- day since 1970 on which it was last asked for
) WITHOUT ROWID
"""
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class ResponseFile:
    """The open file; every use of it goes through `read` or `write`, which raise nothing of SQLite's.

    Args:
        path: Where it lies; made, with its folder, at the first use.
        tell: Called with what is wrong, in a sentence or two, each at most once.

    Attributes:
        notes: What was told.
        is_usable: Whether it can still be read and written, as far as is known.
    """

    def __init__(self, path: Path, *, tell: Tell) -> None:
        self.path = path
        self.notes: list[str] = []
        self._tell = tell
        self._lock = threading.RLock()
        self._open: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._process = 0
        self._is_off = False
        self._is_read_only = False

    @property
    def is_usable(self) -> bool:
        return not self._is_off and not self._is_read_only

    def read(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """What `work` finds, and `otherwise` where the file cannot be read."""
        with self._lock:
            for _ in range(2):  # a second time in the new file that stands in for a damaged one
                file = self._connection()
                if file is None:
                    return otherwise
                try:
                    return work(file)
                except sqlite3.Error as error:
                    self._fault(error)
        return otherwise

    def write(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        """Does `work` in one transaction; False where nothing was written."""
        with self._lock:
            for _ in range(2):
                file = None if self._is_read_only else self._connection()
                if file is None:
                    return False
                try:
                    file.execute("BEGIN IMMEDIATE")
                    work(file)
                    file.execute("COMMIT")
                except sqlite3.Error as error:
                    self._undo(file)
                    self._fault(error, writing=True)
                except BaseException:
                    self._undo(file)
                    raise
                else:
                    return True
        return False

    def shrink(self) -> bool:
        """Gives unused space back to the disk; False where others use the file, which keep it for what comes."""
        with self._lock:
            file = self._connection()
            if file is None:
                return False
            try:
                file.execute("VACUUM")
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                self.note(f"The file {self.path} could not be made smaller now ({error}).")
                return False
        return True

    def note(self, note: str) -> None:
        """Tells what is wrong, unless it was told already."""
        if note not in self.notes:
            self.notes.append(note)
            self._tell(note)

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._lock:
            # A connection does not survive a fork: the child leaves its parent's alone.
            if self._open is not None and self._process == os.getpid():
                self._open.close()
            self._open = None

    def _undo(self, file: sqlite3.Connection) -> None:
        if file.in_transaction:  # a full disk ends the transaction by itself
            try:
                file.execute("ROLLBACK")
            except sqlite3.Error:  # nothing of it is committed; the file is opened anew
                self.close()

    def _connection(self) -> sqlite3.Connection | None:
        if self._open is not None and self._process == os.getpid():
            return self._open
        for _ in range(2):
            if self._is_off:
                return None
            self._inode = inode_of(self.path)
            try:
                self._open = connected(self.path)
            except StoreError as error:
                self._turn_off(str(error))
            except sqlite3.Error as error:
                self._fault(error)
            else:
                self._process, self._inode = os.getpid(), inode_of(self.path)
                return self._open
        self._turn_off(f"The response cache {self.path} cannot be opened.")
        return None

    def _fault(self, error: sqlite3.Error, *, writing: bool = False) -> None:
        """Sets a damaged file aside; stops writing, or using the cache at all, where that fails."""
        code = error_code(error)
        if code in DAMAGED:
            self._replace(error)
        elif code in BUSY and self._open is not None:
            self.note(
                f"The response cache {self.path} is held by another process; some answers are not kept."
            )
        elif code == sqlite3.SQLITE_FULL:
            self._stop_writing("The disk is full")
        elif writing:
            self._stop_writing(f"Writing failed ({error})")
        else:
            self._turn_off(f"The response cache {self.path} cannot be used ({error}).")

    def _replace(self, error: sqlite3.Error) -> None:
        self.close()
        try:
            aside = set_aside(self.path, self._inode)
        except OSError as exc:
            self._turn_off(
                f"The response cache {self.path} is damaged and cannot be renamed ({exc.strerror})."
            )
            return
        where = f"; it was set aside as {aside.name}, which may be deleted" if aside else ""
        self.note(f"The response cache {self.path} is damaged ({error}){where}. A new one is begun.")

    def _stop_writing(self, reason: str) -> None:
        self._is_read_only = True
        self.note(
            f"{reason}: answers are not kept in the response cache {self.path} any more; make room (harness cache "
            "prune), or choose another place with --cache. What is being run goes on."
        )

    def _turn_off(self, reason: str) -> None:
        if not self._is_off:
            self._is_off = True
            self.close()
            self.note(f"{reason} No answers are cached.")


def error_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code of an error; 0 where the error is Python's own."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def connected(path: Path) -> sqlite3.Connection:
    """An open connection to the cache's file, made where there is none.

    Raises:
        StoreError: If the file is something else or of a newer version, or its folder cannot be made.
        sqlite3.Error: If it is damaged, busy or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(f"The folder of the response cache {path} cannot be made: {exc.strerror}.") from exc
    _refuse_stranger(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def set_aside(path: Path, inode: int | None) -> Path | None:
    """Renames a damaged file so that a new one can be made; the name it has now, or None if it was gone.

    Args:
        path: The cache's file.
        inode: Of the file that was found damaged: another process may have set it aside already.
    """
    aside = path.with_name(path.name + ".damaged")
    if inode is None or inode_of(path) != inode:
        return None
    # The log first: a new file beside an old log would be read together with it.
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{aside}{suffix}")
    with suppress(FileNotFoundError):
        os.replace(path, aside)
    return aside


def inode_of(path: Path) -> int | None:
    """Which file lies there now; None where there is none to be seen."""
    try:
        return path.stat().st_ino
    except OSError:  # absent or out of reach, which opening it will tell
        return None


def _refuse_stranger(path: Path) -> None:
    """A file that the user named by mistake is neither written nor renamed."""
    try:
        with path.open("rb") as stream:
            head = stream.read(100)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise StoreError(f"The response cache {path} cannot be read: {exc.strerror}.") from exc
    if not head or path.name == FILE_NAME:
        return
    owner = int.from_bytes(head[_APPLICATION_PLACE], "big")
    if not head.startswith(_MAGIC) or owner not in (APPLICATION, 0):
        raise _stranger(path)


def _stranger(path: Path) -> StoreError:
    return StoreError(f"{path} is not a response cache and is left alone; name another file with --cache.")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    is_ours = _is_ours(connection, path)
    _switch_to_log(connection)
    connection.execute("PRAGMA synchronous=NORMAL")  # safe against a kill; a power cut may lose the last pack
    if not is_ours:
        connection.execute("BEGIN IMMEDIATE")  # of several makers one makes, the others see it done
        if not _is_ours(connection, path):
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA:
        raise StoreError(
            f"The response cache {path} has schema {version}, this version of the harness reads {SCHEMA}; "
            "upgrade the harness, or name another file with --cache."
        )
    connection.execute("SELECT key, value, writer, used FROM responses LIMIT 1").fetchone()


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether this is a response cache; False for an empty file, which may become one."""
    # In this order: another process may make both in between, in one transaction.
    n_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    if owner != APPLICATION and (owner or n_tables):
        raise _stranger(path)
    return bool(owner == APPLICATION)


def _switch_to_log(connection: sqlite3.Connection) -> None:
    """Write-ahead logging, under which readers and a writer do not wait for each other.

    Switching needs the file for itself and does not wait for it, unlike all else.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
