"""Metrics: one file each, found by file name; what they share stands in the files named in `MACHINERY`."""

from __future__ import annotations

from harness.metrics.declare import CorpusRow, MetricSpec, corpus_metric, metric
from harness.metrics.scoring import (
    METRICS,
    applicable,
    applicable_names,
    corpus_row,
    gold_text,
    is_correct,
    require_applicable,
    require_target,
    score_case,
    specification,
)

MACHINERY = (
    "chinese_number",
    "declare",
    "english_number",
    "examples",
    "normalise_answer",
    "read_number",
    "rouge",
    "scoring",
    "split_tokens",
)

__all__ = [
    "MACHINERY",
    "METRICS",
    "CorpusRow",
    "MetricSpec",
    "applicable",
    "applicable_names",
    "corpus_metric",
    "corpus_row",
    "gold_text",
    "is_correct",
    "metric",
    "require_applicable",
    "require_target",
    "score_case",
    "specification",
]
