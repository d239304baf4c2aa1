"""The response cache: what is put is got, whoever writes, and whatever befalls the file only time is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import StoreError
from harness.core.exchange import TextScored
from harness.store.cache_folder import cache_folder
from harness.store.response_cache import CachedResponse, ResponseCache, default_cache_file
from tests.store.test_answer_bytes import responses

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = 86_400.0


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def entries(*numbers: int) -> dict[bytes, CachedResponse]:
    return {key(number): CachedResponse(TextScored(-number / 7, number)) for number in numbers}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "responses.sqlite"


@pytest.fixture
def cache(file: Path) -> Iterator[ResponseCache]:
    with ResponseCache(file) as opened:
        yield opened


@settings(max_examples=25)
@given(st.lists(st.tuples(st.binary(max_size=32), responses, st.booleans(), st.binary(max_size=8))))
def test_what_is_put_is_got_by_its_key_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[bytes, object, bool, bytes]]
) -> None:
    # A dictionary is the model.
    model = {row[0]: CachedResponse(*row[1:]) for row in rows}  # type: ignore[arg-type]
    path = tmp_path_factory.mktemp("cache") / "responses.sqlite"
    with ResponseCache(path) as cache:
        assert cache.put(model) == len(model)
    with ResponseCache(path) as cache:
        found = cache.get([*model, b"absent"])
        assert cache.notes == ()
    assert found == {
        name: replace(held, response=replace(held.response, seconds=None))  # type: ignore[type-var]
        for name, held in model.items()
    }


def test_thousands_are_put_and_got_in_one_call(cache: ResponseCache) -> None:
    made = entries(*range(5000))
    cache.put(made)
    assert cache.get(list(made)) == made


def test_the_first_of_two_answers_stays_so_that_every_run_sees_the_same(cache: ResponseCache) -> None:
    cache.put({b"k": CachedResponse(TextScored(-1.0, 1))})
    cache.put({b"k": CachedResponse(TextScored(-1.0000001, 1))})
    assert cache.get([b"k"])[b"k"].response == TextScored(-1.0, 1)


WRITER = """
import sys
from harness.core.exchange import TextScored
from harness.store.response_cache import CachedResponse, ResponseCache
path, first, step, n = sys.argv[1], *map(int, sys.argv[2:])
cache = ResponseCache(path, tell=lambda note: sys.exit(note))
print("begun", flush=True)
number = first
while n < 0 or number < n:
    rows = range(number, number + 10 * step, step)
    cache.put({row.to_bytes(16, "big"): CachedResponse(TextScored(-row / 7, row)) for row in rows})
    assert len(cache.get([row.to_bytes(16, "big") for row in rows])) == 10
    number += 10 * step
    print(number, flush=True)
"""


def writer(file: Path, first: int, step: int, n: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(file), str(first), str(step), str(n)]
    return subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_that_write_at_once_lose_nothing(file: Path) -> None:
    # Four writers from the making of the file on: each its own numbers, and all of them those from 0 to 99.
    children = [writer(file, first, 4, 1200) for first in range(4)]
    children += [writer(file, 0, 1, 100) for _ in range(2)]
    for child in children:
        _, faults = child.communicate(timeout=60)
        assert child.returncode == 0, faults
    made = entries(*range(1200))
    with ResponseCache(file) as cache:
        assert cache.get(list(made)) == made


def test_a_writer_killed_at_any_moment_leaves_whole_packs(file: Path) -> None:
    for wait in (0.0, 0.01, 0.03):
        first = ResponseCache(file).facts().responses
        with writer(file, first, 1, -1) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.stdout.readline()
            time.sleep(wait)
            child.kill()
            told = child.stdout.read().split()
        with ResponseCache(file) as cache:
            n = cache.facts().responses
            made = entries(*range(n))
            assert cache.get(list(made)) == made
            assert cache.notes == ()
        assert n % 10 == 0
        assert n >= (int(told[-1]) if told else first + 10)


def damage(file: Path, place: Callable[[int], int], data: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek(place(file.stat().st_size))
        stream.write(data)


@pytest.mark.parametrize(
    ("place", "data"),
    [
        (lambda size: 0, b"no database at all" * 300),
        (lambda size: 4096, b"\xff" * 4096),  # the page after the header's
        (lambda size: 28, b"\xff" * 8),  # the header's page count
    ],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    file: Path, place: Callable[[int], int], data: bytes
) -> None:
    with ResponseCache(file) as cache:
        cache.put(entries(*range(3000)))
    damage(file, place, data)
    told: list[str] = []
    with ResponseCache(file, tell=told.append) as cache:
        found = cache.get([key(number) for number in range(3000)])
        assert found.items() <= entries(*range(3000)).items()
        cache.put(entries(5000))
        assert cache.get([key(5000)]) == entries(5000)
    assert len(told) == 1
    assert "is damaged" in told[0]
    assert "responses.sqlite.damaged" in told[0]
    assert file.with_name("responses.sqlite.damaged").is_file()


def test_a_file_cut_in_half_costs_only_its_answers(file: Path) -> None:
    with ResponseCache(file) as cache:
        cache.put(entries(*range(3000)))
    os.truncate(file, file.stat().st_size // 2)
    with ResponseCache(file) as cache:
        found = cache.get([key(number) for number in range(3000)])
        assert found.items() <= entries(*range(3000)).items()
        cache.put(entries(*range(3000)))
        assert cache.get([key(number) for number in range(3000)]) == entries(*range(3000))


def test_an_answer_with_a_flipped_bit_is_never_given(file: Path) -> None:
    with ResponseCache(file) as cache:
        cache.put(entries(1, 2))
    with sqlite3.connect(file) as raw:
        value = bytearray(raw.execute("SELECT value FROM responses WHERE key = ?", [key(1)]).fetchone()[0])
        value[-3] ^= 1
        raw.execute("UPDATE responses SET value = ? WHERE key = ?", [bytes(value), key(1)])
    raw.close()
    with ResponseCache(file) as cache:
        assert cache.get([key(1), key(2)]) == entries(2)
        assert "1 responses" in cache.notes[0]
        cache.put(entries(1))
        assert cache.get([key(1), key(2)]) == entries(1, 2)


def test_a_full_disk_ends_the_keeping_but_not_the_reading(file: Path) -> None:
    told: list[str] = []
    with ResponseCache(file, tell=told.append) as cache:
        cache.put(entries(1))
        # SQLite's own way to answer SQLITE_FULL, as on a disk without room.
        cache._file.read(lambda open_file: open_file.execute("PRAGMA max_page_count = 3").fetchone(), None)
        assert cache.put(entries(*range(2, 3000))) == 0
        assert cache.put(entries(2)) == 0
        assert cache.get([key(1), key(2)]) == entries(1)
    assert len(told) == 1
    assert told[0].startswith("The disk is full: answers are not kept")
    assert "--cache" in told[0]


def test_a_folder_that_cannot_be_written_is_told_once_and_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    told: list[str] = []
    with ResponseCache(tmp_path / "a file" / "responses.sqlite", tell=told.append) as cache:
        assert cache.put(entries(1)) == 0
        assert cache.get([key(1)]) == {}
        with pytest.raises(StoreError, match="cannot be"):
            cache.facts()
    assert len(told) == 1
    assert "No answers are cached" in told[0]


def test_a_cache_of_another_version_is_left_alone(file: Path) -> None:
    with ResponseCache(file) as cache:
        cache.put(entries(1))
    with sqlite3.connect(file) as raw:
        raw.execute("PRAGMA user_version = 7")
    raw.close()
    with ResponseCache(file) as cache:
        assert cache.get([key(1)]) == {}
        assert "has schema 7, this version of the harness reads 1; upgrade" in cache.notes[0]
    assert not file.with_name("responses.sqlite.damaged").exists()


@pytest.mark.parametrize("content", [b"# My notes\n", None])
def test_a_file_that_is_something_else_is_neither_written_nor_renamed(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "notes.md"
    if content is None:
        with sqlite3.connect(path) as raw:
            raw.execute("CREATE TABLE addresses (name)")
        raw.close()
        content = path.read_bytes()
    else:
        path.write_bytes(content)
    with ResponseCache(path) as cache:
        assert cache.put(entries(1)) == 0
        assert "is not a response cache and is left alone" in cache.notes[0]
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["notes.md"]


def test_a_forked_child_opens_the_file_for_itself(cache: ResponseCache) -> None:
    cache.put(entries(1))
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.put(entries(2)) == 1 and cache.get([key(1)]) == entries(1) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cache.get([key(1), key(2)]) == entries(1, 2)


def test_pruning_by_age_removes_what_was_not_used(file: Path) -> None:
    now = 100 * DAY
    with ResponseCache(file, clock=lambda: now) as cache:
        cache.put(entries(1, 2))
    with ResponseCache(file, clock=lambda: now + 20 * DAY) as cache:
        cache.get([key(2)])
        cache.put(entries(3))
        assert cache.prune(older_than_days=20) == 0
    with ResponseCache(file, clock=lambda: now + 21 * DAY) as cache:
        assert cache.prune(older_than_days=20) == 1
        assert cache.get([key(1), key(2), key(3)]) == entries(2, 3)
        facts = cache.facts()
    assert (facts.responses, facts.least_recently_used, facts.most_recently_used) == (
        2, "1970-05-02", "1970-05-02",
    )  # fmt: skip


def test_pruning_by_size_keeps_the_recently_used(file: Path) -> None:
    with ResponseCache(file, clock=lambda: 0.0) as cache:
        cache.put(entries(*range(4000)))
        whole = cache.facts().bytes
    with ResponseCache(file, clock=lambda: 3 * DAY) as cache:
        used = list(range(3000, 4000))
        cache.get([key(number) for number in used])
        n_removed = cache.prune(larger_than_bytes=100_000)
        facts = cache.facts()
        assert facts.bytes <= 100_000 < whole
        assert facts.responses == 4000 - n_removed
        # Half of what could stay did: it is not emptied, and what was used last is there.
        assert facts.responses >= 1000
        assert cache.get([key(number) for number in used]) == entries(*used)


def test_clearing_leaves_an_empty_cache_that_goes_on_working(cache: ResponseCache) -> None:
    cache.put(entries(*range(2000)))
    before = cache.facts().bytes
    assert cache.clear() == 2000
    assert cache.facts().bytes < before
    cache.put(entries(1))
    assert cache.get([key(1), key(2)]) == entries(1)


@pytest.mark.parametrize(
    ("own", "general", "expected"),
    [
        ("/own", "/general", "/own"),
        (None, "/general", "/general/sft-harness"),
        (None, "relative", "~/.cache/sft-harness"),  # the XDG specification: a relative path is ignored
        (None, None, "~/.cache/sft-harness"),
    ],
)
def test_the_cache_lies_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, own: str | None, general: str | None, expected: str
) -> None:
    for name, value in (("HARNESS_CACHE", own), ("XDG_CACHE_HOME", general)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected).expanduser()
    assert default_cache_file() == cache_folder() / "responses.sqlite"
