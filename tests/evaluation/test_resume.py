"""A run that is killed goes on where it was, and says what an uninterrupted one says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.core.errors import BackendError, RunInProgress, StoreError
from harness.core.exchange import Answer, BackendFailure, Request
from harness.evaluation import EvaluationSettings, ProgressReport
from harness.evaluation.evaluate import build, evaluate_with
from harness.store import CheckpointRecord, open_store
from tests.evaluation import slow_run
from tests.evaluation.made_suites import answering, good, run_of, scripted, suite, wrong_on

REPOSITORY = Path(__file__).resolve().parents[2]


def start(store: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.evaluation.slow_run", str(store), str(log)]
    return subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})


def n_asked(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.is_file() else 0


def test_a_run_killed_twice_ends_as_one_that_was_not_and_asks_again_only_the_open_pack(
    tmp_path: Path,
) -> None:
    log = tmp_path / "asked"
    for stop_at in (23, 68):
        process = start(tmp_path / "killed", log)
        deadline = time.monotonic() + 60
        while n_asked(log) < stop_at and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        process.wait()
    assert start(tmp_path / "killed", log).wait() == 0
    asked = Counter(log.read_text().split())
    assert len(asked) == 120
    assert sum(asked.values()) <= 120 + 2 * slow_run.PACK

    slow_run.main(tmp_path / "whole", tmp_path / "other")
    (killed,), (whole,) = open_store(tmp_path / "killed").runs(), open_store(tmp_path / "whole").runs()
    assert killed.run_id == whole.run_id
    one, two = (open_store(tmp_path / name).run(whole.run_id) for name in ("killed", "whole"))
    for table in ("scores", "outputs", "errors"):
        assert getattr(one, table)().equals(getattr(two, table)())
    assert killed.counts["resumed"] >= 60
    assert killed.counts["asked"] + killed.counts["resumed"] == 120


class _Stopping:
    """A backend that breaks off after some answers."""

    def __init__(self, after: int, error: BaseException) -> None:
        self.after, self.error, self.inner = after, error, good()

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
        for count, answered in enumerate(self.inner.answer(requests)):
            if count == self.after:
                raise self.error
            yield answered

    def describe(self) -> dict[str, object]:
        return self.inner.describe()


def test_an_interruption_keeps_every_answer_that_came(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_of(_Stopping(17, KeyboardInterrupt()), [suite()], tmp_path)  # type: ignore[arg-type]
    backend = good()
    run = run_of(backend, [suite()], tmp_path)
    assert backend.calls == 40 - 17
    assert run.manifest.counts["resumed"] == 17


def test_the_same_run_again_asks_nothing(tmp_path: Path) -> None:
    first = run_of(good(), [suite()], tmp_path)
    backend = good()
    again = run_of(backend, [suite()], tmp_path)
    assert (backend.calls, again.run_id) == (0, first.run_id)


@pytest.mark.parametrize(
    "settings",
    [EvaluationSettings(batch_tokens=99), EvaluationSettings(command="harness run x")],
)
def test_how_a_run_is_done_is_no_part_of_what_it_is(tmp_path: Path, settings: EvaluationSettings) -> None:
    first = run_of(good(), [suite()], tmp_path)
    assert run_of(good(), [suite()], tmp_path, settings=settings).run_id == first.run_id


@pytest.mark.parametrize(
    "settings",
    [
        EvaluationSettings(limit=10),
        EvaluationSettings(smoke=True),
        EvaluationSettings(seed=1),
        EvaluationSettings(replicate=1),
        EvaluationSettings(too_long="skip"),
    ],
)
def test_another_setting_is_another_run(tmp_path: Path, settings: EvaluationSettings) -> None:
    first = run_of(good(), [suite()], tmp_path)
    assert run_of(good(), [suite()], tmp_path, settings=settings).run_id != first.run_id


def test_items_that_two_suites_share_are_asked_once_and_scored_in_both(tmp_path: Path) -> None:
    backend = good()
    run = run_of(backend, [suite("one", 30), suite("two", 30, first=20)], tmp_path)
    assert backend.calls == 50  # 30 + 30, of which 10 are the same
    assert run.scores().groupby("suite").size().to_dict() == {"one": 30, "two": 30}
    assert run.manifest.counts["requests"] == 60
    assert run.manifest.counts["asked"] == 50


def test_progress_counts_every_request_once_and_ends_at_the_total(tmp_path: Path) -> None:
    seen: list[ProgressReport] = []
    backend = good()
    evaluate_with(
        backend,
        CheckpointRecord(digest="d", name="n"),
        build([suite("one", 30), suite("two", 30, first=20)], EvaluationSettings()),
        store=open_store(tmp_path, create=True),
        settings=EvaluationSettings(),
        progress=seen.append,
    )
    assert [report.done for report in seen] == sorted(report.done for report in seen)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (0, 60, 60)


def test_a_run_resumed_asks_again_what_a_server_failed_but_not_what_cannot_change(tmp_path: Path) -> None:
    first: list[str] = []

    def failing(request: Request) -> Answer | str:
        first.append(request.request_id)
        if len(first) == 1:
            return BackendFailure("server", "503")
        if len(first) == 2:
            return BackendFailure("nan_logits", "NaN in the logits")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_of(scripted(failing, name="good"), [suite(n=4)], tmp_path)
    asked: list[str] = []

    def healed(request: Request) -> Answer | str:
        asked.append(request.request_id)
        return answering()(request)

    run = run_of(scripted(healed, name="good"), [suite(n=4)], tmp_path)
    assert len(asked) == 3
    assert first[0] in asked
    assert first[1] not in asked
    assert run.outputs()["reason"].dropna().to_list() == ["nan_logits: NaN in the logits"]


def test_a_backend_that_forgets_a_request_is_told_off(tmp_path: Path) -> None:
    class Forgetful:
        def answer(self, requests: Sequence[Request]) -> Iterator[tuple[str, Answer]]:
            yield from good().answer(requests[1:])

        def describe(self) -> dict[str, object]:
            return {"name": "forgetful"}

    with pytest.raises(BackendError, match="left 1 of 40 requests without an answer"):
        run_of(Forgetful(), [suite()], tmp_path)  # type: ignore[arg-type]


def test_a_full_disk_is_told_with_the_command_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, number: int, answers: object, *, plan_digest: str) -> None:
        raise StoreError("No space left on device.")

    monkeypatch.setattr("harness.store.journal.Journal.append", full)
    with pytest.raises(StoreError, match="give `harness run ckpt --suite x` again to go on"):
        run_of(
            wrong_on(0.5),
            [suite()],
            tmp_path,
            settings=EvaluationSettings(command="harness run ckpt --suite x"),
        )


def test_a_run_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    refused: list[str] = []

    def second(request: Request) -> Answer | str:
        if not refused:
            with pytest.raises(RunInProgress) as caught:
                run_of(good(), [suite()], open_store(tmp_path))
            refused.append(str(caught.value))
        return answering()(request)

    run_of(scripted(second, name="good"), [suite()], tmp_path)
    assert "is being written by process" in refused[0]
