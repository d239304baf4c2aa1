"""A run being written: packs of answers into its journal, then its tables and, last, its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from harness.core.errors import RunInProgress, StoreError
from harness.core.exchange import Answer
from harness.store.answers import is_transient
from harness.store.files import Place
from harness.store.journal import Journal, JournalContent
from harness.store.lock import RunLock
from harness.store.manifest import MANIFEST, Manifest, items_file, manifest_to_bytes
from harness.store.stored_run import StoredRun
from harness.store.tables import TableKind, conformed, table_to_bytes

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What a run is begun with.

    Args:
        run_id: The run's identity.
        plan_digest: Digest of the plan its answers are made under, batch budget included. Another plan takes
            over the answers of an earlier one; equal bits are promised only under an equal plan.
        extra: More to keep in the journal's header, JSON-able; `command` is shown where a run breaks off.
    """

    run_id: str
    plan_digest: str
    extra: dict[str, Any] = field(default_factory=dict)


class RunWriter:
    """The one writer of a run. `Store.begin` makes it; close it, or use it in a `with` block."""

    def __init__(
        self, place: Place, header: RunHeader, lock: RunLock, *, items_files: Mapping[str, str]
    ) -> None:
        self._place = place
        self._lock = lock
        self._items_files = items_files
        self._is_open = True
        self.header = header
        self._journal = Journal(place, header.run_id)
        self._journal.start({"plan_digest": header.plan_digest, "extra": header.extra})
        self._next = self._journal.next_number()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answered(self, *, retry_failed: bool = True) -> dict[str, Answer]:
        """The answers committed so far by request id, those of earlier, broken-off attempts included.

        Args:
            retry_failed: Whether to leave out failures that asking again may mend (server, timeout, rate_limited,
                out_of_memory), so that a resumed run asks again; others stay as they are.
        """
        answers = self.journalled().answers()
        if not retry_failed:
            return answers
        return {request_id: answer for request_id, answer in answers.items() if not is_transient(answer)}

    def journalled(self) -> JournalContent:
        """The journal's segments, the plans they were made under, and the segments found damaged."""
        return self._journal.content()

    def scoring_plan(self) -> Mapping[str, Any] | None:
        """The numbers under which the first answers of this run were made; None while there are none."""
        return self._journal.scoring_plan()

    def keep_scoring_plan(self, plan: Mapping[str, Any]) -> None:
        """Keeps those numbers beside the answers; later calls change nothing."""
        self._refuse_closed()
        self._journal.keep_scoring_plan(plan)

    def commit_pack(self, answers: Mapping[str, Answer]) -> None:
        """Commits answers, all or none; on return they are on the disk. An empty pack writes nothing.

        Raises:
            StoreError: If they cannot be written; packs committed before are safe.
            RunInProgress: If another process writes this run.
        """
        self._refuse_closed()
        if not answers:
            return
        try:
            self._lock.beat()
            self._journal.append(self._next, answers, plan_digest=self.header.plan_digest)
        except RunInProgress:
            raise
        except StoreError as error:
            raise StoreError(f"{error} {self._safe()}") from error
        self._next += 1

    def finish(
        self, manifest: Manifest, *, scores: pa.Table, outputs: pa.Table, errors: pa.Table
    ) -> StoredRun:
        """Writes the tables, then the manifest, which commits the run; then removes the journal.

        The items of every suite must be there (`Store.put_items`).

        Args:
            manifest: Its `files` are filled in here.
            scores: With the columns of `tables.COLUMNS`, in any order; so are the others.
            outputs: What was answered.
            errors: The error classes found.

        Raises:
            StoreError: If a table does not fit its schema, items are absent, or a file cannot be written; the
                journal is kept.
        """
        self._refuse_closed()
        run_id = self.header.run_id
        if manifest.run_id != run_id:
            raise StoreError(f"The manifest is of run '{manifest.run_id}', the run begun is '{run_id}'.")
        tables: dict[TableKind, pa.Table] = {"scores": scores, "outputs": outputs, "errors": errors}
        contents = {
            f"{kind}.parquet": table_to_bytes(conformed(table, kind)) for kind, table in tables.items()
        }
        files = self._items_hashes(manifest)
        files |= {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        finished = replace(manifest, files=dict(sorted(files.items())))
        try:
            self._write(contents, finished)
        except StoreError as error:
            raise StoreError(f"{error} {self._safe()}") from error
        # Committed: from here on a crash leaves only what readers ignore.
        self._journal.remove()
        self.close()
        return StoredRun(self._place, finished)

    def close(self) -> None:
        """Lets others write this run. The journal stays; a second call does nothing."""
        if self._is_open:
            self._is_open = False
            self._lock.release()

    def _write(self, contents: Mapping[str, bytes], manifest: Manifest) -> None:
        run_id = self.header.run_id
        if self._place.exists(f"{run_id}/{MANIFEST}"):
            raise StoreError(
                f"Run '{run_id}' was finished by another process; finished runs are not changed."
            )
        for name, data in contents.items():
            self._place.replace(f"{run_id}/{name}", data)
        if not self._place.create(f"{run_id}/{MANIFEST}", manifest_to_bytes(manifest)):
            raise StoreError(
                f"Run '{run_id}' was finished by another process; finished runs are not changed."
            )

    def _items_hashes(self, manifest: Manifest) -> dict[str, str]:
        hashes = {}
        for suite in manifest.suites:
            file = self._items_files.get(suite.digest, items_file(suite.digest))
            data = self._place.read(file)
            if data is None:
                raise StoreError(
                    f"Suite '{suite.name}': {self._place.shown(file)} is absent; "
                    f"put the items of suite digest '{suite.digest}' before finishing the run."
                )
            hashes[file] = hashlib.sha256(data).hexdigest()
        return hashes

    def _refuse_closed(self) -> None:
        if not self._is_open:
            raise StoreError(f"Run '{self.header.run_id}' is not open for writing any more; begin it again.")

    def _safe(self) -> str:
        n_packs = self._next - 1
        command = self.header.extra.get("command")
        again = f"`{command}`" if command else "the same command"
        return (
            f"Nothing committed is lost: {n_packs} {'pack is' if n_packs == 1 else 'packs are'} safe in "
            f"{self._place.shown(self._journal.folder)}. "
            f"Mend this, then give {again} again to go on from there."
        )
