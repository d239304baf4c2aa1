"""`harness run --cache` and `harness cache`: used without being asked for, told about, shrunk, switched off."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli.main import main
from tests.suites.folders import write_folder


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def harness(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Done]:
    monkeypatch.chdir(tmp_path)
    # The place of all caches is the test's own, and the tests' switch is not set.
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "caches"))
    monkeypatch.delenv("HARNESS_RESPONSE_CACHE")

    def run(*words: object) -> Done:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Done(int(left.value.code or 0), captured.out, captured.err)

    return run


def counts(done: Done) -> tuple[int, int]:
    assert done.code == 0, done.err
    found = json.loads(done.out)["counts"]
    return found["asked"], found["cached"]


def test_a_second_run_into_another_store_asks_nothing_and_the_cache_can_be_emptied(
    harness: Callable[..., Done], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    own = write_folder(tmp_path / "own")
    words = ["run", tiny_checkpoint, "--suite", own, "--json", "--store"]
    assert counts(harness(*words, "one")) == (2, 0)
    assert counts(harness(*words, "two")) == (0, 2)
    assert counts(harness(*words, "three", "--cache", "off")) == (2, 0)
    assert counts(harness(*words, "four", "--cache", tmp_path / "other" / "file.sqlite")) == (2, 0)

    facts = json.loads(harness("cache", "info", "--json").out)
    assert facts["path"] == str(tmp_path / "caches" / "responses.sqlite")
    assert facts["responses"] == 2
    assert harness("cache", "info").out.splitlines()[1].startswith("2 answers, 0.0 MiB, last used 2")
    assert harness("cache", "prune", "--older-than", "30d", "--larger-than", "1G").out.startswith("0 answers")
    assert harness("cache", "prune", "--larger-than", "0").out.startswith("2 answers removed, 0 left")
    assert counts(harness(*words, "five")) == (2, 0)
    assert harness("cache", "clear").out.startswith("2 answers removed from")
    assert counts(harness(*words, "six")) == (2, 0)
    shown = harness("run", tiny_checkpoint, "--suite", own, "--store", "seven").out
    assert "2 requests, 0 asked of the model now, 2 from the cache" in shown


def test_the_environment_names_or_switches_off_the_cache(
    harness: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    own = write_folder(tmp_path / "own")
    words = ["run", tiny_checkpoint, "--suite", own, "--json", "--store"]
    monkeypatch.setenv("HARNESS_RESPONSE_CACHE", str(tmp_path / "mine.sqlite"))
    assert counts(harness(*words, "one")) == (2, 0)
    assert (tmp_path / "mine.sqlite").is_file()
    assert not (tmp_path / "caches" / "responses.sqlite").exists()
    monkeypatch.setenv("HARNESS_RESPONSE_CACHE", "off")
    assert counts(harness(*words, "two")) == (2, 0)


def test_a_damaged_cache_is_told_and_costs_no_run(
    harness: Callable[..., Done], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    own = write_folder(tmp_path / "own")
    file = tmp_path / "caches" / "responses.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 1000)
    words = ["run", tiny_checkpoint, "--suite", own, "--json", "--store"]
    done = harness(*words, "one")
    assert counts(done) == (2, 0)
    assert "note: The response cache" in done.err
    assert "set aside as responses.sqlite.damaged" in done.err
    assert counts(harness(*words, "two")) == (0, 2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["info"], "There is no response cache at"),
        (["info", "--cache", "off"], "The cache is switched off"),
        (["prune"], "Nothing to remove: give --older-than DAYS"),
        (["prune", "--older-than", "soon"], "expected a number and one of d, w, got 'soon'"),
        (["prune", "--larger-than", "3x"], "expected a number and one of k, m, g, t, got '3x'"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(
    harness: Callable[..., Done], words: list[str], expected: str
) -> None:
    done = harness("cache", *words)
    assert done.code == 2
    assert expected in " ".join(done.err.split())


def test_a_file_that_is_no_cache_is_refused_untouched(harness: Callable[..., Done], tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("# Notes")
    for words in (["info"], ["clear"], ["prune", "--larger-than", "0"]):
        done = harness("cache", *words, "--cache", notes)
        assert done.code == 2
        assert "is not a response cache and is left alone" in done.err
    assert notes.read_text() == "# Notes"
