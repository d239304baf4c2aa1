"""Reads a suite's folder, collecting every fault with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.core.codec import item_from_json
from harness.core.errors import SuiteError
from harness.core.exchange import GenerationSettings
from harness.core.items import Item
from harness.formats.faults import field_path, shape_faults
from harness.formats.findings import Finding, errors_only
from harness.formats.json_lines import Line, read_json_lines
from harness.formats.yaml_file import YamlFile, read_yaml
from harness.prompting.asking import Asking, Reading
from harness.suites.demonstrations import with_demonstrations
from harness.suites.inside import inside
from harness.suites.item_checks import Fault, item_faults, one_part_faults
from harness.suites.item_shape import ItemRecord
from harness.suites.name_checks import (
    metric_faults,
    plan_of,
    rotation_faults,
    target_faults,
    transform_faults,
)
from harness.suites.shipped import SUITE_FILE
from harness.suites.suite import Suite
from harness.suites.suite_shape import SuiteRecord, TagSplit, is_per_language
from harness.suites.suite_wording import ITEM_WORDING, SUITE_WORDING
from harness.transforms.plan import Plan

TEST_SPLIT = "test"


@dataclass(frozen=True, slots=True)
class _Numbered:
    """An item and the line it stands on."""

    line: int
    item: Item


def examine(folder: Path) -> tuple[Suite | None, list[Finding]]:
    """The suite, or None where a finding is an error, and all findings, errors first."""
    path = folder / SUITE_FILE
    file = read_yaml(path)
    findings = list(file.findings)
    record = _record(file, path, findings)
    if record is None:
        return None, findings
    plan, faults = plan_of(record.variants)
    faults += [*metric_faults(record), *transform_faults(plan, record.languages), *_own_faults(record)]
    findings += _placed(faults, file, path)
    items = _Items(folder, record, dict(file.value), plan, findings).read()
    findings.sort(key=lambda finding: finding.severity != "error")
    if errors_only(findings):
        return None, findings
    return _suite(record, plan, items, folder), findings


def _record(file: YamlFile, path: Path, findings: list[Finding]) -> SuiteRecord | None:
    """The validated suite.yaml, its faults added to the findings."""
    if file.value is None:
        return None
    if not isinstance(file.value, dict):
        findings.append(Finding("expected keys and values such as `schema: 1`", str(path), line=1))
        return None
    value = dict(file.value)
    if ("version",) in file.raw:
        value["version"] = file.raw[("version",)]  # 2026.10 as written, not the number 2026.1
    try:
        return SuiteRecord.model_validate(value)
    except ValidationError as error:
        findings += _placed(shape_faults(error, SuiteRecord, wording=SUITE_WORDING), file, path)
        return None


def _placed(faults: Iterable[Fault], file: YamlFile, path: Path) -> list[Finding]:
    placed = []
    for parts, message in faults:
        line, column = file.place(parts)
        placed.append(Finding(message, str(path), line, column, field_path(parts)))
    return placed


def _own_faults(record: SuiteRecord) -> list[Fault]:
    """Faults between the fields of suite.yaml."""
    faults: list[Fault] = []
    for name in ("languages", "labels"):
        values = getattr(record, name)
        faults += [
            ((name, index), f"'{value}' stands twice; keep one")
            for index, value in enumerate(values)
            if value in values[:index]
        ]
    if isinstance(record.prompt, dict):
        faults += [
            (("prompt", language), f"'{language}' is not among the suite's languages {record.languages}")
            for language in record.prompt
            if language not in record.languages
        ]
    is_chosen = record.task in ("multiple_choice", "classification")
    if "read" in record.model_fields_set and not is_chosen:
        faults.append(
            (("read",), f"says how options or labels are read, and task '{record.task}' has none; remove it")
        )
    if record.read.by == "letter" and record.task == "classification":
        faults.append((("read", "by"), "labels have names, not letters; use 'option_text' or 'generation'"))
    return faults


class _Items:
    """Reads the items of one suite, adding faults to the findings as it goes."""

    def __init__(
        self, folder: Path, record: SuiteRecord, value: Mapping[str, Any], plan: Plan, findings: list[Finding]
    ) -> None:
        self.folder, self.record, self.plan, self.findings = folder, record, plan, findings
        self.defaults: Any = value.get("prompt") or {}
        self.suite_path = str(folder / SUITE_FILE)

    def read(self) -> list[Item]:
        """The tested items with their demonstrations."""
        test = self.record.splits.get(TEST_SPLIT)
        main = self._file(test if isinstance(test, str) else self.record.items)
        tested = [numbered for numbered in main if self._is_tested(numbered.item)]
        if not tested and not errors_only(self.findings):
            place = str(self.folder / (test if isinstance(test, str) else self.record.items))
            self.findings.append(Finding("has no items to test; add at least one line", place))
        if tested:
            self._check_languages(tested)
        for name, split in self.record.splits.items():
            if isinstance(split, str) and name != TEST_SPLIT:
                self._path(split, f"splits.{name}")
        items = [numbered.item for numbered in tested]
        drawn = self.record.demonstrations
        if drawn is None or errors_only(self.findings):
            return items
        pool = self._pool(drawn.source, main)
        try:
            return [
                with_demonstrations(item, pool, k=drawn.k, draw=drawn.draw, seed=drawn.seed) for item in items
            ]
        except SuiteError as error:
            message = f"{error}; lower k or add some"
            self.findings.append(Finding(message, self.suite_path, field="demonstrations"))
            return items

    def _is_tested(self, item: Item) -> bool:
        """Whether an item of the main file is of the test split, or claimed by no other."""
        test = self.record.splits.get(TEST_SPLIT)
        if isinstance(test, TagSplit):
            return _carries(item, test)
        others = [split for split in self.record.splits.values() if isinstance(split, TagSplit)]
        return not any(_carries(item, split) for split in others)

    def _pool(self, source: str, main: list[_Numbered]) -> list[Item]:
        split = self.record.splits.get(source, source)
        if isinstance(split, TagSplit):
            return [numbered.item for numbered in main if _carries(numbered.item, split)]
        return [numbered.item for numbered in self._file(split)]

    def _path(self, name: str, field: str) -> Path | None:
        path = inside(self.folder, name)
        if isinstance(path, Path) and path.is_file():
            return path
        reason = path if isinstance(path, str) else f"there is no file '{name}'; add it"
        self.findings.append(Finding(reason, self.suite_path, field=field))
        return None

    def _file(self, name: str) -> list[_Numbered]:
        """The items of one file that are whole, each once."""
        path = self._path(name, "items")
        if path is None:
            return []
        lines, findings = read_json_lines(path)
        self.findings += findings
        first_lines: dict[str, int] = {}
        items = []
        for line in lines:
            item, faults = self._item(line)
            self.findings += [
                Finding(message, str(path), line.number, field=field_path(parts) or None)
                for parts, message in faults
            ]
            if item is None:
                continue
            first = first_lines.setdefault(item.item_id, line.number)
            if first != line.number:
                message = f"is the same item as line {first} (id '{item.item_id[:8]}'); remove one"
                self.findings.append(Finding(message, str(path), line.number))
                continue
            items.append(_Numbered(line.number, item))
        return items

    def _item(self, line: Line) -> tuple[Item | None, list[Fault]]:
        try:
            ItemRecord.model_validate(line.value)
        except ValidationError as error:
            return None, shape_faults(error, ItemRecord, wording=ITEM_WORDING)
        if faults := one_part_faults(line.value):
            return None, faults
        language = line.value["language"]
        defaults = self.defaults.get(language, {}) if is_per_language(self.defaults) else self.defaults
        item = item_from_json({**line.value, "prompt": {**defaults, **line.value["prompt"]}})
        faults = item_faults(item, task=self.record.task, labels=self.record.labels)
        if not faults:
            faults += target_faults(item, self.record.metrics)
        if language not in self.record.languages:
            declared = ", ".join(self.record.languages)
            faults.append((("language",), f"'{language}' is not among the suite's languages ({declared})"))
        return item, [*faults, *rotation_faults(item, self.plan)]

    def _check_languages(self, tested: list[_Numbered]) -> None:
        used = {numbered.item.language for numbered in tested}
        for language in self.record.languages:
            if language not in used:
                message = f"'{language}' is declared, but no tested item uses it; add items or remove it"
                self.findings.append(Finding(message, self.suite_path, field="languages"))


def _carries(item: Item, split: TagSplit) -> bool:
    return all(item.tag(name) == str(value) for name, value in split.tag.items())


def _suite(record: SuiteRecord, plan: Plan, items: list[Item], folder: Path) -> Suite:
    generation = record.generation
    settings = GenerationSettings(
        max_tokens=generation.max_tokens,
        stop=tuple(generation.stop),
        temperature=float(generation.temperature),
        top_p=float(generation.top_p),
    )
    reading = Reading(record.read.by, record.read.normalise, record.read.show_options)
    return Suite(
        name=record.name,
        version=record.version,
        summary=record.summary,
        licence=record.licence,
        languages=tuple(record.languages),
        asking=Asking(task=record.task, reading=reading, generation=settings, samples=generation.samples),
        metrics=tuple(record.metrics),
        primary=record.primary,
        plan=plan,
        smoke=record.smoke,
        items=tuple(items),
        path=folder,
        labels=tuple(record.labels),
    )
