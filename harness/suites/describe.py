"""What a suite holds, in a few lines: for lists and for its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.formats.json_lines import read_json_lines
from harness.formats.yaml_file import read_yaml
from harness.suites.load import CARD
from harness.suites.shipped import SUITE_FILE, locate, suite_names
from harness.suites.suite import Suite


@dataclass(frozen=True, slots=True)
class SuiteSummary:
    """One line of the list of suites.

    Args:
        name: As it is loaded.
        version: As written.
        summary: One sentence.
        task: Task shape.
        languages: Declared languages.
        n_items: Source items in the items file.
        path: Its folder.
    """

    name: str
    version: str
    summary: str
    task: str
    languages: tuple[str, ...]
    n_items: int
    path: Path


def list_suites() -> list[SuiteSummary]:
    """The shipped suites by name; their items are counted, not checked.

    Example:
        >>> "edge-cases" in [summary.name for summary in list_suites()]
        True
    """
    return [_summary(name) for name in suite_names()]


def _summary(name: str) -> SuiteSummary:
    folder = locate(name)
    file = read_yaml(folder / SUITE_FILE)
    value = file.value if isinstance(file.value, dict) else {}
    lines, _ = read_json_lines(folder / str(value.get("items", "items.jsonl")))
    return SuiteSummary(
        name=name,
        version=file.raw.get(("version",), ""),
        summary=str(value.get("summary", "")),
        task=str(value.get("task", "")),
        languages=tuple(str(language) for language in value.get("languages", ())),
        n_items=len(lines),
        path=folder,
    )


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def describe_suite(suite: Suite, *, seed: int = 0) -> dict[str, object]:
    """A JSON-able record of a suite: identity, how it is asked, and counts after building.

    Args:
        suite: A loaded suite; it is built to count its variants.
        seed: Of the transforms.
    """
    built = suite.build(seed=seed)
    tags: dict[str, Counter[str]] = {}
    for item in suite.items:
        for name, value in item.tags:
            tags.setdefault(name, Counter())[value] += 1
    card = None if suite.path is None else suite.path / CARD
    return {
        "name": suite.name,
        "version": suite.version,
        "summary": suite.summary,
        "licence": suite.licence,
        "task": suite.asking.task,
        "read_by": suite.asking.reading.by,
        "metrics": list(suite.metrics),
        "primary": suite.primary,
        "digest": built.digest,
        "items": len(suite.items),
        "variants": len(built.variants),
        "rejected": len(built.rejected),
        "smoke": min(suite.smoke, len(suite.items)),
        "items_by_language": _counted(item.language for item in suite.items),
        "variants_by_transform": _counted(variant.transform for variant in built.variants),
        "tags": {name: dict(sorted(counts.items())) for name, counts in sorted(tags.items())},
        "card": str(card) if card is not None and card.is_file() else None,
    }
