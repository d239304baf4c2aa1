"""The manifest of a finished run: what was measured, on what, how; and the hash of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from harness.core.digest import canonical_json
from harness.core.errors import StoreError
from harness.core.rows import MetricFacts, SuiteRecord

SCHEMA = 1
MANIFEST = "manifest.json"
SEAL = "seal"  # the manifest's own hash, over everything else in it

Json = dict[str, Any]

# MIGRATIONS[i] makes a manifest of schema i + 2 from one of schema i + 1.
MIGRATIONS: tuple[Callable[[Json], Json], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """The checkpoint of a run: weights, adapter, tokenizer and template by their digests.

    Args:
        digest: Identity of all four together.
        name: What people call it.
        path: Where it lay; None where the run came from a log.
        weights: Digest of the weights.
        adapter: Digest of the adapter; None without one.
        tokenizer: Digest of the tokenizer.
        template: Digest of the chat template; None without one.
        n_parameters: Number of parameters, where known.
        architecture: Name of the model class, where known.
    """

    digest: str
    name: str
    path: str | None = None
    weights: str | None = None
    adapter: str | None = None
    tokenizer: str | None = None
    template: str | None = None
    n_parameters: int | None = None
    architecture: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of a finished run besides its tables.

    Args:
        run_id: The run's identity.
        created: When it was finished, ISO 8601, UTC.
        checkpoint: What was asked.
        suites: What it was asked.
        settings: How; part of the run's identity.
        environment: Device, batch budget, versions, platform; not part of the identity.
        counts: Requests, answers, failures ...
        timings: Seconds by phase.
        lineage: The parent run or recipe, and the command.
        files: SHA-256 by file: the run's own by name, shared ones by their path in the store.
    """

    run_id: str
    created: str
    checkpoint: CheckpointRecord
    suites: tuple[SuiteRecord, ...] = ()
    settings: Json = field(default_factory=dict)
    environment: Json = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    lineage: Json = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def is_partial(self) -> bool:
        """Whether only part of its suites was asked (a limit, or the quick subset)."""
        return self.settings.get("limit") is not None or bool(self.settings.get("smoke"))

    def suite(self, name: str) -> SuiteRecord:
        """The suite of this name.

        Raises:
            UnknownName: With the nearest names.
        """
        from harness.core.naming import unknown_name

        for record in self.suites:
            if record.name == name:
                return record
        raise unknown_name(f"suite in run '{self.run_id}'", name, [record.name for record in self.suites])

    def items_file(self, suite_name: str) -> str:
        """The file with the items of a suite, relative to the store.

        Raises:
            UnknownName: If the run has no such suite.
            StoreError: If the manifest lists no items of it.
        """
        digest = self.suite(suite_name).digest
        for file in sorted(self.files):
            if file == items_file(digest) or file.startswith(f"items/{digest}-"):
                return file
        raise StoreError(f"Run '{self.run_id}' lists no items of suite '{suite_name}' (digest '{digest}').")


def items_file(suite_digest: str) -> str:
    """The file that items of a suite digest lie in, relative to the store."""
    return f"items/{suite_digest}.parquet"


def manifest_to_json(manifest: Manifest) -> Json:
    """A manifest as JSON that `manifest_from_json` reads back equal."""
    return asdict(manifest)


def manifest_from_json(record: Mapping[str, Any], *, path: str = MANIFEST) -> Manifest:
    """The reverse of `manifest_to_json`; older schemas are brought up to date first.

    Args:
        record: What the file holds.
        path: The file, for messages.

    Raises:
        StoreError: If the schema is newer than this version's, or a field is unknown, absent or misshapen.
    """
    schema = record.get("schema")
    if not isinstance(schema, int) or schema < 1:
        raise StoreError(
            f"{path}: schema: expected a number from 1 to {SCHEMA}, got {schema!r}; it is no manifest."
        )
    if schema > SCHEMA:
        raise StoreError(
            f"{path}: schema: {schema} is newer than {SCHEMA}, the newest this version reads; "
            "upgrade the harness."
        )
    current = dict(record)
    for migrate in MIGRATIONS[schema - 1 :]:
        current = migrate(current)
    suites = current.get("suites", [])
    _expect(isinstance(suites, list | tuple), path, "suites", "a list", suites)
    current["checkpoint"] = _record(
        CheckpointRecord, current.get("checkpoint"), path=path, place="checkpoint"
    )
    current["suites"] = tuple(
        _suite(suite, path=path, place=f"suites[{index}]") for index, suite in enumerate(suites)
    )
    manifest: Manifest = _record(Manifest, current, path=path, place="")
    return manifest


def manifest_to_bytes(manifest: Manifest) -> bytes:
    """The file's content: sorted, indented, sealed with its own hash."""
    record = manifest_to_json(manifest)
    record[SEAL] = _seal(record)
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # JSON text may carry lone surrogates (a path that is not UTF-8) as escapes, files may not hold them.
    return (text + "\n").encode("utf-8", "backslashreplace")


def manifest_from_bytes(data: bytes, *, path: str) -> Manifest:
    """Reads a manifest file and checks its seal.

    Raises:
        StoreError: If it is no JSON or was changed after it was written.
    """
    remedy = "restore it from a copy, or remove the run and start it again"
    try:
        record = json.loads(data)
    except ValueError as error:
        raise StoreError(f"{path} is damaged ({error}); {remedy}.") from error
    if not isinstance(record, dict):
        raise StoreError(f"{path} is damaged (it holds no JSON object); {remedy}.")
    seal = record.pop(SEAL, None)
    schema = record.get("schema")
    is_newer = isinstance(schema, int) and schema > SCHEMA  # which may be sealed in another way
    if not is_newer and seal != _seal(record):
        raise StoreError(f"{path} was changed after it was written; {remedy}.")
    return manifest_from_json(record, path=path)


def _seal(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(dict(record)).encode()).hexdigest()


def _suite(record: Any, *, path: str, place: str) -> SuiteRecord:
    _expect(isinstance(record, Mapping), path, place, "an object", record)
    metrics = record.get("metrics", ())
    _expect(isinstance(metrics, list | tuple), path, f"{place}.metrics", "a list", metrics)
    facts = tuple(
        _facts(metric, path=path, place=f"{place}.metrics[{index}]") for index, metric in enumerate(metrics)
    )
    suite: SuiteRecord = _record(SuiteRecord, {**record, "metrics": facts}, path=path, place=place)
    return suite


def _facts(record: Any, *, path: str, place: str) -> MetricFacts:
    _expect(isinstance(record, Mapping), path, place, "an object", record)
    bounds = record.get("bounds", (0.0, 1.0))
    _expect(isinstance(bounds, list | tuple) and len(bounds) == 2, path, f"{place}.bounds", "a pair", bounds)
    facts: MetricFacts = _record(MetricFacts, {**record, "bounds": tuple(bounds)}, path=path, place=place)
    return facts


def _record(kind: Any, record: Any, *, path: str, place: str) -> Any:
    _expect(isinstance(record, Mapping), path, place, "an object", record)
    known = {each.name for each in fields(kind)}
    unknown = sorted(set(record) - known)
    if unknown:
        where = f"{place}.{unknown[0]}" if place else unknown[0]
        raise StoreError(f"{path}: {where}: unknown field; a newer version wrote it: upgrade the harness.")
    try:
        return kind(**record)
    except TypeError as error:
        raise StoreError(f"{path}: {place or 'manifest'}: {error}.") from error


def _expect(holds: object, path: str, place: str, expected: str, got: Any) -> None:
    if not holds:
        raise StoreError(f"{path}: {place}: expected {expected}, got {got!r}.")
