"""One pytest session's gates: what was asked for, and verdicts drawn once, whatever the number of workers."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.core.errors import BackendError, MeasurementError, UsageError

try:
    import fcntl as _fcntl

    fcntl: ModuleType | None = _fcntl
except ImportError:  # no such lock on Windows: there each worker draws the same verdict for itself
    fcntl = None

Json = dict[str, Any]
OUTCOMES = pytest.StashKey[list[Json]]()
WORD = pytest.StashKey[str]()  # INCONCLUSIVE or UNMEASURED, where that is why a test did not pass


class GateSession:
    """The gates of one process. Make it with `session_of`.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._known: dict[str, Json] = {}
        worker = getattr(config, "workerinput", None)
        self._is_worker = worker is not None
        self._shared: Path | None = None if worker is None else Path(worker["harness_shared"])

    def shared_folder(self) -> Path:
        """Where the workers of this session share verdicts; made by the first that has one."""
        if self._shared is None:
            self._shared = Path(tempfile.gettempdir()) / f"harness-gates-{uuid.uuid4().hex}"
        return self._shared

    def option(self, name: str) -> str | None:
        """A flag, else its ini twin, else None; the store also from HARNESS_STORE."""
        flag = self.config.getoption(f"harness_{name}")
        if flag:
            return str(flag)
        if name == "store" and os.environ.get("HARNESS_STORE"):
            return os.environ["HARNESS_STORE"]
        return str(self.config.getini(f"harness_{name}")) or None

    @property
    def store(self) -> str:
        """The store's folder or address; a relative one lies beside the ini file."""
        chosen = self.option("store") or "runs"
        if "://" in chosen or Path(chosen).is_absolute() or Path(chosen).is_dir():
            return chosen
        return str(self.config.rootpath / chosen)

    def candidate(self, given: str | None = None) -> str:
        """The candidate: the flag or ini value, else what was given.

        Raises:
            UsageError: If there is none, with the command.
        """
        chosen = self.option("candidate") or given
        if chosen is None:
            raise UsageError(
                "No candidate to judge: pytest --harness-candidate=RUN (a run's id or name, or a checkpoint's folder), "
                "or `harness_candidate = RUN` in the ini file."
            )
        return chosen

    def once(self, key: str, make: Callable[[], Json]) -> Json:
        """What `make` gives, made once in all workers of the session."""
        if key in self._known:
            return self._known[key]
        if self._shared is None or fcntl is None:
            self._known[key] = make()
            return self._known[key]
        self._shared.mkdir(mode=0o700, exist_ok=True)
        with _locked(self._shared / f"{key}.lock"):
            file = self._shared / f"{key}.json"
            if not file.is_file():
                file.write_text(json.dumps(make()), encoding="utf-8")
            self._known[key] = json.loads(file.read_text(encoding="utf-8"))
        return self._known[key]

    def record(self, key: str) -> Json | None:
        """What was made under a key, here or in a worker; None where it cannot be seen from here."""
        if key not in self._known and self._shared is not None and (self._shared / f"{key}.json").is_file():
            self._known[key] = json.loads((self._shared / f"{key}.json").read_text(encoding="utf-8"))
        return self._known.get(key)

    def put_on(self, report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """What the item's gates found, as plain values that xdist carries along."""
        raised = None if call.excinfo is None else call.excinfo.value
        if isinstance(raised, (BackendError, MeasurementError)):
            item.stash[WORD] = "UNMEASURED"
        if raised is not None and WORD in item.stash:
            report.harness_word = item.stash[WORD]  # type: ignore[attr-defined]
        if call.when == "call":
            report.harness_gate = item.stash.get(OUTCOMES, [])  # type: ignore[attr-defined]

    def note(self, item: pytest.Item, outcomes: list[Json]) -> None:
        """Keeps outcomes for the item's report, and as JUnit properties unless the ini file says no."""
        item.stash.setdefault(OUTCOMES, []).extend(outcomes)
        if self.config.getini("harness_junit_properties"):
            for outcome in outcomes:
                item.user_properties.extend((str(name), value) for name, value in outcome["facts"].items())

    def settle(self, item: pytest.Item, status: str, text: str, *, is_warning: bool) -> None:
        """Ends an item by a status: passes, warns or fails.

        Raises:
            AssertionError: If it did not pass and that is more than a warning.
        """
        __tracebackhide__ = True
        if status == "pass":
            return
        if is_warning:
            item.warn(GateWarning(text))
            return
        if status == "inconclusive":
            item.stash[WORD] = "INCONCLUSIVE"
        raise AssertionError(text)

    def close(self) -> None:
        """Takes the shared verdicts away; only the controller does."""
        if not self._is_worker and self._shared is not None:
            shutil.rmtree(self._shared, ignore_errors=True)


class GateWarning(pytest.PytestWarning):
    """A rule that cannot fail the build failed or could not be decided."""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Held by one process; the system lets go when it dies."""
    assert fcntl is not None
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
