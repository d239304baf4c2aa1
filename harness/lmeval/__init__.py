"""lm-eval at the edge: its tasks run on our backends, and its logs become runs. Nobody else imports it."""

from __future__ import annotations

from harness.lmeval.log_import import ImportedRun, LoggedModel, import_logs
from harness.lmeval.log_store import store_import
from harness.lmeval.prepared import PreparedTasks, prepare_tasks
from harness.lmeval.prompted import Duplicate, PreparedTask

__all__ = [
    "Duplicate",
    "ImportedRun",
    "LoggedModel",
    "PreparedTask",
    "PreparedTasks",
    "import_logs",
    "prepare_tasks",
    "store_import",
]
