"""An imported log as a stored run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from harness.core.rows import SuiteResult
from harness.core.scores import OUTCOMES
from harness.lmeval.log_import import ImportedRun
from harness.store import CheckpointRecord, Manifest, RunHeader, Store, StoredRun, table_of


def store_import(store: Store, imported: ImportedRun) -> StoredRun:
    """Keeps an imported log; the same log again is the same run, which is then only opened.

    Args:
        store: Where runs are kept.
        imported: From `import_logs`.

    Raises:
        StoreError: If it cannot be written.
    """
    if store.has(imported.run_id):
        return store.run(imported.run_id)
    header = RunHeader(imported.run_id, "import", {"source": "lm_eval log", "files": imported.files})
    with closing(store.begin(header)) as writer:
        for result in imported.results:
            store.put_items(result.record.digest, result.items)
        return writer.finish(
            manifest_of(imported),
            scores=table_of([row for result in imported.results for row in result.scores], "scores"),
            outputs=table_of([row for result in imported.results for row in result.outputs], "outputs"),
            errors=table_of([], "errors"),
        )


def manifest_of(imported: ImportedRun) -> Manifest:
    """What the run's manifest says: the model is the one the log names, its weights are unknown."""
    model = imported.model
    versions = {str(result.record.asking["lm_eval_version"]) for result in imported.results}
    return Manifest(
        run_id=imported.run_id,
        created=imported.created,
        checkpoint=CheckpointRecord(digest=model.digest, name=model.name, n_parameters=model.n_parameters),
        suites=tuple(result.record for result in imported.results),
        settings=imported.settings,
        environment={
            "backend": {"kind": "lm_eval log", "model_args": model.arguments, "dtype": model.dtype},
            "versions": {"lm-eval": ", ".join(sorted(versions))},
        },
        counts=_counts(imported.results),
        lineage={
            "import": "lm_eval log",
            "checkpoint": model.provenance,
            "files": imported.files,
            "notes": list(imported.notes),
        },
    )


def _counts(results: Sequence[SuiteResult]) -> dict[str, int]:
    outcomes = [row.outcome for result in results for row in result.outputs]
    return {"outputs": len(outcomes), **{outcome: outcomes.count(outcome) for outcome in OUTCOMES}}
