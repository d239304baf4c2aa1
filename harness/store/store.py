"""The store: runs by id and name, their beginning and removal, and the items they share."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import RunInProgress, RunNotFound, StoreError
from harness.core.naming import suggestion
from harness.store import names as named
from harness.store.files import Place, place_of
from harness.store.journal import Journal
from harness.store.lock import Holder, acquired, holder_of, in_progress
from harness.store.manifest import MANIFEST, Manifest, items_file, manifest_from_bytes
from harness.store.names import Promotion
from harness.store.naming import RESERVED, checked
from harness.store.run_writer import RunHeader, RunWriter
from harness.store.stored_run import StoredRun
from harness.store.tables import Row, conformed, table_from_bytes, table_of, table_to_bytes

if TYPE_CHECKING:
    import pyarrow as pa

RUN_ID = re.compile(r"[0-9a-f]{12,}")
SHORTEST_PREFIX = 4
# What two files of one suite digest must agree in; prompt text, tags and edits are not part of that digest.
IDENTITY_COLUMNS = ("variant_id", "item_id", "target_id", "transform", "params", "position", "dose", "level")


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """A run without a manifest: who writes it (None where it was left behind) and its journal's segments."""

    run_id: str
    holder: Holder | None
    n_segments: int


def open_store(url: str | Path, *, create: bool = False) -> Store:
    """Opens the store in a folder or at an fsspec url.

    Args:
        url: A folder, or a url such as "s3://bucket/runs".
        create: Whether to make the folder where there is none.

    Raises:
        StoreError: If there is no such folder, it is a file, or it cannot be written when it must be made.

    Example:
        >>> open_store("memory://doctest-runs", create=True).runs()
        []
    """
    place = place_of(url)
    if place.is_local:
        folder = Path(place.path())
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"The store '{place.url}' is a file, not a folder; give another path.")
        if not folder.exists() and not create:
            raise StoreError(
                f"There is no store at '{place.url}'; check the path, or start a run to make it."
            )
        if create:
            place.make_folder()
            if not os.access(folder, os.W_OK | os.X_OK):
                raise StoreError(
                    f"The store '{place.url}' is not writable; choose another or change its permissions."
                )
    return Store(place)


class Store:
    """Runs in one place. Make it with `open_store`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._items_files: dict[str, str] = {}  # by suite digest, as put through this object

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    @property
    def url(self) -> str:
        """Where it is, as `open_store` takes it."""
        return self._place.url

    def begin(self, header: RunHeader) -> RunWriter:
        """Begins a run, or resumes the unfinished one of the same id.

        Raises:
            RunInProgress: If a live process writes it.
            StoreError: If it is finished, or the store cannot be written.
        """
        run_id = checked("run id", header.run_id)
        self._refuse_finished(run_id)
        self._place.make_folder(run_id)
        self._place.sweep(run_id)
        lock = acquired(self._place, run_id, clock=time.time)
        try:
            self._refuse_finished(run_id)  # another process may have finished it before we held the lock
            return RunWriter(self._place, header, lock, items_files=self._items_files)
        except BaseException:
            lock.release()
            raise

    def has(self, run_id: str) -> bool:
        """Whether a run of this very id is finished."""
        return self._place.exists(f"{checked('run id', run_id)}/{MANIFEST}")

    def run(self, ref: str) -> StoredRun:
        """The finished run of an id, a name, or an id's first letters (at least four).

        Raises:
            RunNotFound: With the nearest ids and names.
            RunInProgress: If it has no manifest yet.
            StoreError: If several ids begin so, or its manifest is damaged or of a newer version.
        """
        run_id = self._resolved(ref)
        manifest = self._manifest(run_id)
        if manifest is None:
            raise self._unfinished_error(run_id)
        return StoredRun(self._place, manifest)

    def runs(self) -> list[Manifest]:
        """The manifests of all finished runs that can be read, newest first; `unreadable` has the others."""
        finished = [found for found in self._manifests() if isinstance(found, Manifest)]
        return sorted(finished, key=lambda manifest: (manifest.created, manifest.run_id), reverse=True)

    def unreadable(self) -> list[StoreError]:
        """Why each run with a damaged or newer manifest cannot be read; one such run hides no other."""
        return [found for found in self._manifests() if isinstance(found, StoreError)]

    def _manifests(self) -> Iterator[Manifest | StoreError]:
        for run_id in self._run_ids():
            try:
                manifest = self._manifest(run_id)
            except StoreError as error:
                yield error
                continue
            if manifest is not None:
                yield manifest

    def unfinished(self) -> list[UnfinishedRun]:
        """Runs that are being written or were left behind, by id."""
        return [
            UnfinishedRun(run_id, self._holder(run_id), len(Journal(self._place, run_id).segment_names()))
            for run_id in self._run_ids()
            if not self._place.exists(f"{run_id}/{MANIFEST}")
        ]

    def remove(self, ref: str) -> str:
        """Removes a run, finished or left behind, and gives its id; items stay, other runs may share them.

        Raises:
            StoreError: If a name points at it.
            RunInProgress: If a live process writes it.
        """
        run_id = self._resolved(ref)
        pointing = sorted(name for name, target in self.names().items() if target == run_id)
        if pointing:
            raise StoreError(
                f"Run '{run_id}' is named {', '.join(repr(name) for name in pointing)} and is kept; "
                "point the name at another run first."
            )
        holder = self._holder(run_id)
        if holder is not None:
            raise in_progress(self._place, run_id, holder)
        # The manifest first: if this breaks off, what is left is no finished run.
        self._place.remove(f"{run_id}/{MANIFEST}")
        self._place.remove_folder(run_id)
        return run_id

    def check_name(self, name: str) -> None:
        """Whether a run may be called so.

        Raises:
            StoreError: If the name is not allowed, or looks like a run id.
        """
        checked("name", name)
        if RUN_ID.fullmatch(name) or name in self._run_ids():
            raise StoreError(f"The name '{name}' looks like a run id; choose another.")

    def set_name(self, name: str, ref: str, *, reason: str, author: str) -> Promotion:
        """Points a name at a finished run, from now on; the change is kept in the history.

        Raises:
            StoreError: If the name is not allowed or looks like a run id, the run asked only part of its suites, or
                the name is a baseline's and points at another run: a baseline moves by a promotion.
        """
        run_id = self._nameable(name, ref)
        current = self.names().get(name)
        if current not in (None, run_id) and named.is_baseline(self.promotions(), name):
            raise StoreError(
                f"'{name}' is a baseline (now run '{current}') and moves only by "
                f"`harness baseline promote {run_id} --name {name} --reason ...`."
            )
        return named.promote(self._place, name, run_id, reason=reason, author=author, at=_now())

    def promote(
        self,
        name: str,
        ref: str,
        *,
        reason: str,
        author: str,
        verdict: str | None = None,
        policy: str | None = None,
    ) -> Promotion:
        """Makes a finished run the baseline of a name; whether it may be is the gate's business.

        Args:
            name: The baseline's name.
            ref: A run's id or name.
            reason: Why, for the history.
            author: Who.
            verdict: What the gate said of it against the baseline before it; None where nothing was judged.
            policy: By which policy.

        Raises:
            StoreError: As for `set_name`, except that a baseline may move.
        """
        return named.promote(
            self._place, name, self._nameable(name, ref), reason=reason, author=author, at=_now(), kind="baseline",
            verdict=verdict, policy=policy,
        )  # fmt: skip

    def is_baseline(self, name: str) -> bool:
        """Whether a name stands for a baseline: it was promoted once, or is called `production`."""
        return named.is_baseline(self.promotions(), name)

    def _nameable(self, name: str, ref: str) -> str:
        """The id of a run that may have a name."""
        self.check_name(name)
        manifest = self.run(ref).manifest
        run_id = manifest.run_id
        if manifest.is_partial:
            raise StoreError(
                f"Run '{run_id}' asked only part of its suites (limit or smoke), and a name stands for a whole run; "
                "run it without."
            )
        return run_id

    def remove_name(self, name: str, *, reason: str, author: str) -> Promotion:
        """Takes a name away; the change is kept in the history, the run stays.

        Raises:
            RunNotFound: If there is no such name.
        """
        known = self.names()
        if name not in known:
            raise RunNotFound(f"No run is named '{name}' in {self.url}.{suggestion(name, known)}")
        return named.promote(self._place, name, None, reason=reason, author=author, at=_now())

    def names(self) -> dict[str, str]:
        """Run ids by name."""
        return named.names(self._place)

    def promotions(self) -> tuple[Promotion, ...]:
        """Every change of a name, oldest first."""
        return named.promotions(self._place)

    def put_items(self, suite_digest: str, rows: Iterable[Row] | pa.Table) -> str:
        """Keeps the items of a built suite once for all runs, and gives the file's path in the store.

        The path is `items/<suite digest>.parquet`. Prompt text, tags and edits are not part of a suite's
        digest: where they differ from the file there (a newer renderer, a new tag), the rows go to a file of
        their own, to which runs finished through this object from then on refer. No file is ever overwritten.

        Raises:
            StoreError: If the variants or targets differ from those kept under this digest.
        """
        checked("suite digest", suite_digest)
        table = conformed(rows if hasattr(rows, "schema") else table_of(rows, "items"), "items")
        self._place.make_folder("items")
        data = table_to_bytes(table)
        name = items_file(suite_digest)
        while not self._place.create(name, data):
            shown = self._place.shown(name)
            there = table_from_bytes(self._place.read(name) or b"", path=shown)
            if there.equals(table):
                break
            if not there.select(IDENTITY_COLUMNS).equals(table.select(IDENTITY_COLUMNS)):
                raise StoreError(
                    f"{shown} holds other variants or targets under suite digest '{suite_digest}'; "
                    "a kept file is not overwritten: build the suite again so that its digest is its own."
                )
            name = f"items/{suite_digest}-{hashlib.sha256(data).hexdigest()[:12]}.parquet"
        self._items_files[suite_digest] = name
        return name

    def _run_ids(self) -> list[str]:
        return [name for name in self._place.names() if name not in RESERVED and not name.startswith(".")]

    def _manifest(self, run_id: str) -> Manifest | None:
        name = f"{run_id}/{MANIFEST}"
        data = self._place.read(name)
        if data is None:
            return None
        manifest = manifest_from_bytes(data, path=self._place.shown(name))
        if manifest.run_id != run_id:
            raise StoreError(
                f"{self._place.shown(name)} is of run '{manifest.run_id}'; give the folder that name again."
            )
        return manifest

    def _holder(self, run_id: str) -> Holder | None:
        return holder_of(self._place, run_id, clock=time.time)

    def _refuse_finished(self, run_id: str) -> None:
        if self.has(run_id):
            raise StoreError(
                f"Run '{run_id}' is finished, and finished runs are not changed; read it, or remove it first."
            )

    def _unfinished_error(self, run_id: str) -> StoreError:
        if not self._is_run(run_id):  # a name may point at a folder that was removed by hand
            return RunNotFound(f"Run '{run_id}' is not in {self.url} any more; restore it from a copy.")
        holder = self._holder(run_id)
        if holder is not None:
            return in_progress(self._place, run_id, holder)
        return RunInProgress(
            f"Run '{run_id}' was broken off before its end; "
            "give the same command again to go on from its journal."
        )

    def _resolved(self, ref: str) -> str:
        """The run id that an id, a name or a prefix means."""
        folders = self._run_ids()
        if ref in folders and self._is_run(ref):
            return ref
        known = self.names()
        if ref in known:
            return known[ref]
        near = [run_id for run_id in folders if len(ref) >= SHORTEST_PREFIX and run_id.startswith(ref)]
        matching = [run_id for run_id in near if self._is_run(run_id)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            shown = ", ".join(f"'{run_id}'" for run_id in matching[:5])
            more = f" and {len(matching) - 5} more" if len(matching) > 5 else ""
            raise StoreError(f"{len(matching)} runs begin with '{ref}': {shown}{more}; give more letters.")
        ids = [run_id for run_id in folders if self._is_run(run_id)]
        if not ids:
            raise RunNotFound(f"No run '{ref}': {self.url} holds no runs; make one with `harness run`.")
        hint = suggestion(ref, [*ids, *known]) or f" Known: {', '.join([*sorted(known), *ids][:8])}."
        raise RunNotFound(f"No run '{ref}' in {self.url}, neither as an id nor as a name.{hint}")

    def _is_run(self, run_id: str) -> bool:
        return bool({MANIFEST, "journal", "lock"} & set(self._place.names(run_id)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
