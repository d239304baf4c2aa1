"""Runs on disk or in an object store: begun, resumed, finished once, then only read."""

from __future__ import annotations

from harness.store.answers import TRANSIENT_FAILURES, answer_from_json, answer_to_json, is_transient
from harness.store.journal import JournalContent
from harness.store.lock import Holder
from harness.store.manifest import (
    CheckpointRecord,
    Manifest,
    manifest_from_json,
    manifest_to_json,
)
from harness.store.names import Promotion
from harness.store.response_cache import CachedResponse, CacheFacts, ResponseCache, default_cache_file
from harness.store.run_writer import RunHeader, RunWriter
from harness.store.store import Store, UnfinishedRun, open_store
from harness.store.stored_run import StoredRun
from harness.store.tables import COLUMNS, schema, table_of

__all__ = [
    "COLUMNS",
    "TRANSIENT_FAILURES",
    "CacheFacts",
    "CachedResponse",
    "CheckpointRecord",
    "Holder",
    "JournalContent",
    "Manifest",
    "Promotion",
    "ResponseCache",
    "RunHeader",
    "RunWriter",
    "Store",
    "StoredRun",
    "UnfinishedRun",
    "answer_from_json",
    "answer_to_json",
    "default_cache_file",
    "is_transient",
    "manifest_from_json",
    "manifest_to_json",
    "open_store",
    "schema",
    "table_of",
]
