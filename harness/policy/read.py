"""Read a policy file; every fault names file, line, field, value and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.core.errors import PolicyError
from harness.formats.faults import field_path, shape_faults
from harness.formats.findings import Finding, errors_only, raise_findings
from harness.formats.yaml_file import YamlFile, read_yaml
from harness.policy.rules import Margin, MustPass, Policy, Quarantine, Rule, ValuesFile
from harness.policy.shape import EXCLUSIVE, WORDING, MustPassShape, PolicyShape, QuarantineShape, RuleShape


def load_policy(path: str | Path) -> Policy:
    """The policy of a file.

    Raises:
        PolicyError: With file, line and field of the first fault, and the others after it.
    """
    path = Path(path)
    if not path.is_file():
        raise PolicyError(
            "there is no such policy file; a first one is `schema: 1` and `rules: [{suite: '*', margin: 0.05}]`",
            path=path,
        )
    file = read_yaml(path)
    if faults := errors_only(file.findings):
        raise_findings(faults, PolicyError)
    return policy_from_json(file.value, path=path, file=file)


def policy_from_json(value: Any, *, path: Path | None = None, file: YamlFile | None = None) -> Policy:
    """A policy from plain values, checked.

    Args:
        value: A mapping as the file holds it.
        path: The file it came from, for messages.
        file: The same file with its lines.

    Raises:
        PolicyError: If a key is unknown, absent or of the wrong kind.

    Example:
        >>> policy_from_json({"schema": 1, "rules": [{"suite": "noisy-*", "margin": "10%"}]}).rules[0].margin
        Margin(value=0.1, is_relative=True)
    """
    places = file or YamlFile()
    try:
        shape = PolicyShape.model_validate(value)
    except ValidationError as error:
        name = "policy" if path is None else str(path)
        found = [
            Finding(message, name, *places.place(parts), field=field_path(parts) or None)
            for parts, message in shape_faults(error, PolicyShape, wording=WORDING)
        ]
        raise_findings(found, PolicyError)
    name = "policy" if path is None else str(path)
    if found := list(_contradictions(shape, name, places)):
        raise_findings(found, PolicyError)
    return Policy(
        rules=tuple(_rule(rule, places.place(("rules", index))[0]) for index, rule in enumerate(shape.rules)),
        alpha=shape.alpha,
        baseline=None if shape.baseline is None else shape.baseline.run,
        inconclusive=shape.inconclusive,
        min_shared=shape.min_shared,
        max_failed_share=shape.max_failed_share,
        must_pass=tuple(
            _must_pass(entry, places.place(("must_pass", index))[0])
            for index, entry in enumerate(shape.must_pass)
        ),
        quarantine=tuple(
            Quarantine(
                entry.item,
                date.fromisoformat(entry.until),
                entry.reason,
                places.place(("quarantine", index))[0],
            )
            for index, entry in enumerate(shape.quarantine)
        ),
        path=None if path is None else str(path),
    )


def _contradictions(shape: PolicyShape, path: str, places: YamlFile) -> Iterator[Finding]:
    """What each key allows but all together do not."""
    for index, rule in enumerate(shape.rules):
        given = rule.model_fields_set
        for first, second, why in EXCLUSIVE:
            if first in given and second in given:
                parts = ("rules", index, second)
                message = f"'{second}' does not go with '{first}': {why}"
                yield Finding(message, path, *places.place(parts), field=field_path(parts))
        if "values" in given and "metric" not in given:
            parts = ("rules", index, "values")
            message = "values need a name: add `metric: NAME`"
            yield Finding(message, path, *places.place(parts), field=field_path(parts))
    for index, entry in enumerate(shape.quarantine):
        if not _is_day(entry):
            parts = ("quarantine", index, "until")
            message = f"expected a day such as 2026-12-31, got '{entry.until}'"
            yield Finding(message, path, *places.place(parts), field=field_path(parts))


def _is_day(entry: QuarantineShape) -> bool:
    try:
        date.fromisoformat(entry.until)
    except ValueError:  # the 31st of February
        return False
    return True


def _must_pass(entry: str | MustPassShape, line: int | None) -> Rule:
    shape = MustPassShape.model_validate({"path": entry}) if isinstance(entry, str) else entry
    return Rule(
        suite=shape.path,
        metric="must_pass",
        tier=shape.tier,
        must_pass=MustPass(shape.path, shape.variants),
        line=line,
    )


def _values(shape: RuleShape) -> ValuesFile | None:
    found = shape.values
    if found is None:
        return None
    low, high = found.bounds
    return ValuesFile(
        found.path, found.item, found.baseline, found.candidate, found.direction, bounds=(low, high)
    )


def _rule(shape: RuleShape, line: int | None) -> Rule:
    return Rule(
        suite=shape.suite,
        metric=shape.metric,
        margin=_margin(shape.margin),
        transform=shape.transform,
        family=shape.family,
        language=shape.slice.language,
        tags=tuple(sorted((name, str(value)) for name, value in shape.slice.tags.items())),
        by=shape.by,
        tier=shape.tier,
        floor=shape.floor,
        ceiling=shape.ceiling,
        measure=shape.measure,
        values=_values(shape),
        line=line,
    )


def _margin(value: float | str) -> Margin:
    if isinstance(value, str):
        return Margin(float(value.rstrip("%")) / 100, is_relative=True)
    return Margin(float(value))
