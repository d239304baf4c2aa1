"""A run of two items, small enough to check by eye; the golden run of schema 1 is made of it."""

from __future__ import annotations

from typing import Any

from harness.core.rows import ErrorRow, MetricFacts, SuiteRecord
from harness.store import (
    CheckpointRecord,
    Manifest,
    RunHeader,
    Store,
    StoredRun,
    table_of,
)

RUN_ID = "0123456789abcdef01234567"
SUITE_DIGEST = "feedfacefeedfacefeedface"

VARIANTS: tuple[dict[str, Any], ...] = (
    {"variant_id": "va", "item_id": "ia", "target_id": "ta", "transform": "source", "family": "source"},
    {"variant_id": "vb", "item_id": "ib", "target_id": "tb", "transform": "source", "family": "source"},
    {
        "variant_id": "vc",
        "item_id": "ia",
        "target_id": "ta",
        "transform": "typo",
        "family": "noise",
        "dose": 0.05,
    },
)


def header(run_id: str = RUN_ID, *, plan: str = "plan-1", **extra: Any) -> RunHeader:
    return RunHeader(run_id, plan, extra)


def manifest(run_id: str = RUN_ID, *, created: str = "2026-01-02T03:04:05+00:00", **changes: Any) -> Manifest:
    checkpoint = CheckpointRecord(
        digest="c0ffee", name="tiny", path="models/tiny", weights="w1", adapter=None, tokenizer="t1",
        template=None, n_parameters=1234, architecture="LlamaForCausalLM",
    )  # fmt: skip
    suite = SuiteRecord(
        name="geo",
        version="2026.1",
        digest=SUITE_DIGEST,
        primary="exact_match",
        metrics=(
            MetricFacts("exact_match", binary=True, pass_at=1.0),
            MetricFacts("perplexity", direction="lower", bounds=(1.0, None), corpus=True),
        ),
        task="short_answer",
        asking={"instruction": "作答"},
        n_items=2,
        n_variants=3,
        n_rejected=1,
    )
    fields: dict[str, Any] = {
        "checkpoint": checkpoint,
        "suites": (suite,),
        "settings": {"limit": None, "seed": 0, "dtype": "float32"},
        "environment": {"device": "cpu", "batch_tokens": 4096},
        "counts": {"requests": 3, "answered": 2, "failed": 1},
        "timings": {"answer": 0.5},
        "lineage": {"command": "harness run models/tiny --suite geo"},
    }
    return Manifest(run_id=run_id, created=created, **{**fields, **changes})


def item_rows(*, gold: str = "Paris", tags: str = "{}") -> list[dict[str, Any]]:
    shared = {
        "language": "en", "params": "{}", "edits": "[]", "tags": tags, "item": "{}", "gold": gold,
        "prompt_text": "Capital of France?\nAnswer:",
    }  # fmt: skip
    return [{**shared, "prompt_id": f"p-{variant['variant_id']}", **variant} for variant in VARIANTS]


def tables() -> dict[str, Any]:
    values = {"va": 1.0, "vb": 0.0, "vc": None}
    scores = [
        {**variant, "suite": "geo", "params": "{}", "language": "en", "sample": 0, "replicate": 0,
         "metric": "exact_match", "value": values[variant["variant_id"]],
         "outcome": "failed" if values[variant["variant_id"]] is None else "scored"}
        for variant in reversed(VARIANTS)
    ]  # fmt: skip
    outputs = [
        _output("vb", "ib", "tb", kind="choose", predicted="1", gold="0", outcome="scored",
                option_logprobs=[-0.1, float("-inf")], option_tokens=[1, 2], option_greedy=[True, False]),
        _output("va", "ia", "ta", kind="generate", text=" Paris 巴黎", predicted="Paris", gold="Paris",
                outcome="scored", tokens=3, finish_reason="stop", seconds=0.25),
        _output("vc", "ia", "ta", kind="generate", gold="Paris", outcome="failed", reason="timeout: 60 s"),
    ]  # fmt: skip
    errors = [ErrorRow("vb", "ib", "geo", 0, "wrong_option", 1, True)]
    return {
        "scores": table_of(scores, "scores"),
        "outputs": table_of(outputs, "outputs"),
        "errors": table_of(errors, "errors"),
    }


def _output(variant_id: str, item_id: str, target_id: str, **columns: Any) -> dict[str, Any]:
    ids = {
        "variant_id": variant_id,
        "item_id": item_id,
        "target_id": target_id,
        "prompt_id": f"p-{variant_id}",
    }
    return {**ids, "suite": "geo", "sample": 0, **columns}


def write_run(store: Store, run_id: str = RUN_ID, **changes: Any) -> StoredRun:
    store.put_items(SUITE_DIGEST, item_rows())
    with store.begin(header(run_id)) as writer:
        return writer.finish(manifest(run_id, **changes), **tables())


def write_golden_store(store: Store) -> None:
    """What tests/golden/run-schema-1 holds; made once, never made anew."""
    write_run(store)
    store.set_name("production", RUN_ID, reason="first release", author="test")
