"""Names in suite.yaml that must be known elsewhere: metrics and transforms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.core.errors import UnknownName, UsageError
from harness.core.items import Item
from harness.core.naming import suggestion
from harness.metrics import require_applicable, require_target, specification
from harness.suites.item_checks import Fault
from harness.suites.suite_shape import SuiteRecord
from harness.transforms import specification as specification_of_transform
from harness.transforms.plan import Plan, plan_from_json

ROTATION = "context_rotation"


def metric_faults(record: SuiteRecord) -> Iterator[Fault]:
    """Metrics that are unknown or do not fit the task, and a primary that is not one of them."""
    for index, name in enumerate(record.metrics):
        if name in record.metrics[:index]:
            yield ("metrics", index), f"metric '{name}' stands twice; keep one"
            continue
        try:
            require_applicable(name, record.task, by=record.read.by)
        except UsageError as error:
            yield ("metrics", index), str(error)
            continue
        if name == record.primary and specification(name).corpus:
            yield (
                ("primary",),
                f"'{name}' scores the suite as a whole; choose one that scores every item by itself",
            )
    if record.primary not in record.metrics:
        hint = suggestion(record.primary, record.metrics)
        yield ("primary",), f"'{record.primary}' is not among the suite's metrics; add it there.{hint}"


def target_faults(item: Item, metrics: Sequence[str]) -> Iterator[Fault]:
    """A target that a metric of the suite cannot compare with."""
    for name in metrics:
        try:
            require_target(name, item)
        except UnknownName:
            continue  # told once, at suite.yaml
        except UsageError as error:
            yield ("target",), str(error).removeprefix(f"Item {item.item_id}").lstrip(": ")


def plan_of(entries: Sequence[str | dict[str, Any]]) -> tuple[Plan, list[Fault]]:
    """The plan, and the faults of the entries it had to leave out."""
    good: list[str | dict[str, Any]] = []
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        try:
            plan_from_json([entry])
        except UsageError as error:
            # The entry was read alone, so that the plan calls it the first.
            faults.append((("variants", index), str(error).removeprefix("variants[0]").lstrip(": ")))
        else:
            good.append(entry)
    return plan_from_json(good), faults


def transform_faults(plan: Plan, languages: Sequence[str]) -> Iterator[Fault]:
    """Transforms that can touch none of the suite's languages."""
    for index, chain in enumerate(plan.steps):
        for step in (one for written in chain for one in written.choices or (written,)):
            spec = specification_of_transform(step.transform)
            if not any(spec.covers(language) for language in languages):
                known, there = ", ".join(sorted(spec.languages)), ", ".join(languages)
                yield (
                    ("variants", index),
                    f"'{step.transform}' works on {known} only, and the suite has {there}; remove it",
                )


def rotation_faults(item: Item, plan: Plan) -> Iterator[Fault]:
    """Items whose key passage the plan would move, but that mark none."""
    rotates = any(step.transform == ROTATION for chain in plan.steps for step in chain)
    if not rotates or any(passage.key for passage in item.prompt.context):
        return
    if item.prompt.context:
        yield ("prompt", "context"), f'no passage has "key": true for `{ROTATION}` to move; mark one'
    else:
        yield ("prompt", "context"), f"is missing, and `{ROTATION}` moves its key passage; add the passages"
