"""File digests are right, and remembered only while the file cannot have changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from harness.engine import file_digests as room
from harness.engine.file_digests import file_digests


def _old_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def test_a_digest_is_the_sha_256_of_the_content(tmp_path: Path) -> None:
    path = _old_file(tmp_path / "weights", b"abc")
    assert file_digests([path], cache=tmp_path / "cache") == [hashlib.sha256(b"abc").hexdigest()]


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _old_file(tmp_path / "weights", b"abc")
    first = file_digests([path], cache=tmp_path / "cache")
    monkeypatch.setattr(room, "file_digest", lambda path: "read again")
    assert file_digests([path], cache=tmp_path / "cache") == first
    assert file_digests([path], cache=tmp_path / "cache", rehash=True) == ["read again"]


def test_a_file_rewritten_with_its_old_time_is_read_again(tmp_path: Path) -> None:
    path = _old_file(tmp_path / "weights", b"abc")
    file_digests([path], cache=tmp_path / "cache")
    _old_file(path, b"xyz")  # same size, same inode, same modification time
    assert file_digests([path], cache=tmp_path / "cache") == [hashlib.sha256(b"xyz").hexdigest()]


def test_a_file_just_written_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"abc")
    file_digests([path], cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("damage", [b"", b"[1", b"[]"])
def test_a_damaged_memory_only_costs_time(tmp_path: Path, damage: bytes) -> None:
    path = _old_file(tmp_path / "weights", b"abc")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file-digests.json").write_bytes(damage)
    assert file_digests([path], cache=tmp_path / "cache") == [hashlib.sha256(b"abc").hexdigest()]


def test_an_unwritable_memory_only_costs_time(tmp_path: Path) -> None:
    path = _old_file(tmp_path / "weights", b"abc")
    (tmp_path / "cache").touch()  # a file where the folder should be
    assert file_digests([path], cache=tmp_path / "cache") == [hashlib.sha256(b"abc").hexdigest()]
