"""What a fault in a suite's files is called: our words for other tools' keys, and for patterns."""

from __future__ import annotations

from dataclasses import replace

from harness.formats.faults import Wording
from harness.suites.item_shape import LANGUAGE
from harness.suites.suite_shape import NAME, VERSION

SUITE_WORDING = Wording(
    elsewhere={
        "choices": "options",
        "answer": "target",
        "gold": "target",
        "license": "licence",
        "lang": "language",
        "metric": "metrics",
        "transforms": "variants",
        "few_shot": "demonstrations",
        "fewshot": "demonstrations",
        "examples": "demonstrations",
    },
    patterns={
        NAME: "small letters, digits and single hyphens, e.g. 'my-suite'",
        VERSION: "a version such as '2026.1'",
        LANGUAGE: "a language tag such as 'en' or 'zh'",
    },
)
ITEM_WORDING = replace(SUITE_WORDING, refused={"id": "ids are computed from the content; remove it"})
