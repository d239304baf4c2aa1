"""Responses by the digest of everything they depend on, in one file that all runs of a user share."""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from harness.core.errors import StoreError
from harness.core.exchange import Response
from harness.store.answer_bytes import response_from_bytes, response_to_bytes
from harness.store.cache_folder import cache_folder
from harness.store.response_file import FILE_NAME, SCHEMA, ResponseFile, Tell

Row = tuple[bytes, bytes, bytes, int]  # key, value, writer, day of the last use

_TOGETHER = 900  # SQLite before 3.32 takes at most 999 values in a statement
_DAY = 86_400.0
_CHECKSUM_BYTES = 4
_CUT = 1


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response as it was kept.

    Args:
        response: Read back without `seconds`.
        was_cut: Whether its prompt was cut on the left to fit the context.
        writer: Which run it was asked for: a resumed run knows by it the responses that are its own.
    """

    response: Response
    was_cut: bool = False
    writer: bytes = b""


@dataclass(frozen=True, slots=True)
class CacheFacts:
    """What `harness cache info` tells: where, how many, how large, and the days of the oldest and newest use."""

    path: str
    schema: int
    responses: int
    bytes: int
    least_recently_used: str | None
    most_recently_used: str | None


def default_cache_file() -> Path:
    """Where responses are kept unless told otherwise."""
    return cache_folder() / FILE_NAME


class ResponseCache:
    """The response cache in one SQLite file; several processes may use it at once.

    Args:
        path: The file; made, with its folder, where there is none.
        tell: Called with what is wrong with the cache, in a sentence or two, each at most once.
        clock: Seconds since 1970.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from harness.core.exchange import TextScored
        >>> with TemporaryDirectory() as folder, ResponseCache(f"{folder}/responses.sqlite") as cache:
        ...     _ = cache.put({b"key": CachedResponse(TextScored(-3.5, 4, seconds=0.2))})
        ...     cache.get([b"key", b"other"])[b"key"].response
        TextScored(logprob_nats=-3.5, tokens=4, seconds=None)
    """

    def __init__(
        self, path: str | Path, *, tell: Tell | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self._file = ResponseFile(self.path, tell=tell or (lambda note: None))
        self._clock = clock

    def __enter__(self) -> ResponseCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was told of faults."""
        return tuple(self._file.notes)

    def get(self, keys: Collection[bytes]) -> dict[bytes, CachedResponse]:
        """What is kept of these; a response that does not match its checksum is thrown away."""
        wanted = list(keys)
        none: list[Row] = []
        today = self._today()
        found: dict[bytes, CachedResponse] = {}
        damaged: list[tuple[bytes]] = []
        stale: list[tuple[int, bytes]] = []
        for key, value, writer, used in self._file.read(lambda file: _rows(file, wanted), none):
            held = _unpacked(key, value, writer)
            if held is None:
                damaged.append((key,))
                continue
            found[key] = held
            if used < today:
                stale.append((today, key))
        if damaged:
            self._file.note(
                f"{len(damaged)} responses in {self.path} did not match their checksums and are asked again."
            )
            self._each("DELETE FROM responses WHERE key = ?", damaged)
        if stale:
            # A day is fine enough for pruning, and spares a write for every read.
            self._each("UPDATE responses SET used = ? WHERE key = ?", stale)
        return found

    def put(self, entries: Mapping[bytes, CachedResponse]) -> int:
        """Keeps responses, all or none; one that is there already stays. How many were handed over."""
        if not entries:
            return 0
        today = self._today()
        rows = [(key, _packed(key, held), held.writer, today) for key, held in entries.items()]
        insert = "INSERT OR IGNORE INTO responses (key, value, writer, used) VALUES (?, ?, ?, ?)"
        return len(rows) if self._each(insert, rows) else 0

    def facts(self) -> CacheFacts:
        """How much is kept.

        Raises:
            StoreError: If the cache cannot be used, saying why.
        """
        nothing: tuple[int, int | None, int | None] = (0, None, None)
        count = "SELECT count(*), min(used), max(used) FROM responses"
        n, oldest, newest = self._file.read(lambda file: file.execute(count).fetchone(), nothing)
        self._require()
        files = [Path(f"{self.path}{suffix}") for suffix in ("", "-wal")]
        size = sum(file.stat().st_size for file in files if file.is_file())
        return CacheFacts(str(self.path), SCHEMA, n, size, _day(oldest), _day(newest))

    def prune(self, *, older_than_days: float | None = None, larger_than_bytes: int | None = None) -> int:
        """Removes what was not asked for in so many days, then the least recently used until the rest fits.

        Returns:
            How many responses were removed.

        Raises:
            StoreError: If the cache cannot be used, saying why.
        """
        n_before = self.facts().responses
        if older_than_days is not None:
            last = int(self._clock() / _DAY - older_than_days)
            self._change("DELETE FROM responses WHERE used < ?", last)
        # Deleting frees no page that still holds others, so the size is known after each shrinking only.
        while self._file.shrink() and larger_than_bytes is not None:
            n_over = self._over(larger_than_bytes)
            if not n_over:
                break
            oldest = "SELECT key FROM responses ORDER BY used, key LIMIT ?"
            self._change(f"DELETE FROM responses WHERE key IN ({oldest})", n_over)
        return n_before - self.facts().responses

    def clear(self) -> int:
        """Removes everything; how many responses there were.

        Raises:
            StoreError: If the cache cannot be used, saying why.
        """
        n_before = self.facts().responses
        self._change("DELETE FROM responses")
        self._file.shrink()
        return n_before

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        self._file.close()

    def _today(self) -> int:
        return int(self._clock() // _DAY)

    def _over(self, limit: int) -> int:
        """How many responses must go, by their mean size, for the rest to fit; 0 where all fit or none is left."""

        def count(file: sqlite3.Connection) -> int:
            pages, size = (
                int(file.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size")
            )
            n = int(file.execute("SELECT count(*) FROM responses").fetchone()[0])
            taken = pages * size
            return min(n, 1 + int(n * (taken - limit) / taken)) if taken > limit else 0

        return self._file.read(count, 0)

    def _each(self, statement: str, rows: Iterable[tuple[object, ...]]) -> bool:
        return self._file.write(lambda file: file.executemany(statement, rows))

    def _change(self, statement: str, *values: int) -> None:
        self._file.write(lambda file: file.execute(statement, values))
        self._require()

    def _require(self) -> None:
        if not self._file.is_usable:
            raise StoreError(self.notes[-1])


def _rows(file: sqlite3.Connection, keys: Sequence[bytes]) -> list[Row]:
    found: list[Row] = []
    for start in range(0, len(keys), _TOGETHER):
        part = keys[start : start + _TOGETHER]
        marks = ",".join("?" * len(part))
        select = f"SELECT key, value, writer, used FROM responses WHERE key IN ({marks})"
        found += file.execute(select, part)
    return found


def _packed(key: bytes, held: CachedResponse) -> bytes:
    body = bytes([_CUT if held.was_cut else 0]) + response_to_bytes(held.response)
    return _checksum(key, body) + body


def _unpacked(key: bytes, value: bytes, writer: bytes) -> CachedResponse | None:
    """The response, or None where a bit of it has changed: SQLite itself does not check its pages."""
    body = value[_CHECKSUM_BYTES:]
    if not body or value[:_CHECKSUM_BYTES] != _checksum(key, body):
        return None
    try:
        return CachedResponse(response_from_bytes(body[1:]), bool(body[0] & _CUT), writer)
    except StoreError:  # whole, but packed otherwise: as good as absent
        return None


def _checksum(key: bytes, body: bytes) -> bytes:
    return zlib.crc32(body, zlib.crc32(key)).to_bytes(_CHECKSUM_BYTES, "little")


def _day(number: int | None) -> str | None:
    if number is None:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number)).date().isoformat()
