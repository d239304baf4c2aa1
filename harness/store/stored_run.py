"""A finished run as it lies in the store: read on demand, never written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness.core.errors import StoreError
from harness.store.files import Place
from harness.store.manifest import Manifest
from harness.store.tables import TableKind, frame_of, table_from_bytes

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class StoredRun:
    """A finished run. Each call reads its file anew; nothing is kept.

    Args:
        place: The store.
        manifest: The run's manifest.
    """

    def __init__(self, place: Place, manifest: Manifest) -> None:
        self._place = place
        self.manifest = manifest

    def __repr__(self) -> str:
        return f"StoredRun({self.run_id!r}, store={self._place.url!r})"

    @property
    def run_id(self) -> str:
        """The run's identity."""
        return self.manifest.run_id

    @property
    def store_url(self) -> str:
        """The store it lies in, as `open_store` takes it."""
        return self._place.url

    def scores(self) -> pd.DataFrame:
        """One row per variant, sample and metric; a missing value is NaN, explained by `outcome`."""
        return frame_of(self.table("scores"), "scores")

    def outputs(self) -> pd.DataFrame:
        """One row per answered variant and sample: what the model said and what was read from it."""
        return frame_of(self.table("outputs"), "outputs")

    def errors(self) -> pd.DataFrame:
        """One row per error class found on a variant."""
        return frame_of(self.table("errors"), "errors")

    def variants(self, suite_name: str) -> pd.DataFrame:
        """The variants of one suite of this run, with their prompts and targets.

        Raises:
            UnknownName: If the run has no suite of that name.
        """
        return frame_of(self._table(self.manifest.items_file(suite_name), shared=True), "items")

    def table(self, kind: TableKind) -> pa.Table:
        """The Arrow table of scores, outputs or errors."""
        return self._table(f"{kind}.parquet", shared=False)

    def path(self, file: str) -> str:
        """Path or url of one of the files in `manifest.files`, for other readers such as DuckDB.

        Raises:
            StoreError: If the run has no such file.
        """
        if file not in self.manifest.files:
            raise StoreError(
                f"Run '{self.run_id}' has no file '{file}'; it has {', '.join(sorted(self.manifest.files))}."
            )
        return self._place.shown(self._name(file))

    def verify(self) -> None:
        """Checks every file against its hash.

        Raises:
            StoreError: Naming each file that is absent or damaged.
        """
        faults = []
        for file, expected in sorted(self.manifest.files.items()):
            data = self._place.read(self._name(file))
            if data is None:
                faults.append(f"{self.path(file)} is absent")
            elif hashlib.sha256(data).hexdigest() != expected:
                faults.append(f"{self.path(file)} is damaged (its hash differs from the manifest's)")
        if faults:
            raise StoreError(
                f"Run '{self.run_id}': {'; '.join(faults)}. "
                "Restore from a copy, or remove the run and start it again."
            )

    def _name(self, file: str) -> str:
        return file if "/" in file else f"{self.run_id}/{file}"

    def _table(self, file: str, *, shared: bool) -> pa.Table:
        name = file if shared else self._name(file)
        data = self._place.read(name)
        shown = self._place.shown(name)
        if data is None:
            raise StoreError(
                f"{shown} is absent, though run '{self.run_id}' is finished; restore it from a copy, "
                "or remove the run and start it again."
            )
        return table_from_bytes(data, path=shown)
