"""Read a policy file; every fault names file, line, field, value and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import PolicyError
from harness.policy.rules import Margin, Policy, Rule
from harness.suites.yaml_file import YamlFile, read_yaml


def load_policy(path: str | Path) -> Policy:
    """The policy of a file.

    Raises:
        PolicyError: With file, line and field of the first fault, and the others after it.
    """
    path = Path(path)
    if not path.is_file():
        raise PolicyError(
            "no such policy file. Write one with `harness gate init`, or see FORMAT.md for the format",
            path=path,
        )
    file = read_yaml(path)
    if file.findings:
        first = file.findings[0]
        raise PolicyError(first.message, path=path, line=first.line, column=first.column, field=first.field)
    return policy_from_json(file.value, path=path, file=file)


def policy_from_json(value: Any, *, path: Path | None = None, file: YamlFile | None = None) -> Policy:
    """A policy from plain values, checked.

    Example:
        >>> policy_from_json({"schema": 1, "rules": [{"suite": "noisy-*", "margin": "10%"}]}).rules[0].margin
        Margin(value=0.1, is_relative=True)
    """
    from pydantic import ValidationError

    from harness.formats.faults import field_path, shape_faults
    from harness.policy.shape import PolicyShape

    def line_of(parts: tuple[str | int, ...]) -> int | None:
        return None if file is None else file.place(parts)[0]

    try:
        shape = PolicyShape.model_validate(value)
    except ValidationError as error:
        (parts, message), *others = shape_faults(error, PolicyShape)
        more = "".join(
            f"\n  also line {line_of(where)}: {field_path(where)}: {what}" for where, what in others[:9]
        )
        raise PolicyError(
            message + more, path=path, line=line_of(parts), field=field_path(parts) or None
        ) from None
    return Policy(
        rules=tuple(
            _rule(rule.model_dump(), line_of(("rules", index))) for index, rule in enumerate(shape.rules)
        ),
        alpha=shape.alpha,
        baseline=None if shape.baseline is None else shape.baseline.run,
        inconclusive=shape.inconclusive,
        min_shared=shape.min_shared,
        max_failed_share=shape.max_failed_share,
        path=None if path is None else str(path),
    )


def _rule(record: Mapping[str, Any], line: int | None) -> Rule:
    return Rule(
        suite=record["suite"],
        metric=record["metric"],
        margin=_margin(record["margin"]),
        transform=record["transform"],
        family=record["family"],
        language=record["slice"]["language"],
        tags=tuple(sorted(record["slice"]["tags"].items())),
        by=record["by"],
        tier=record["tier"],
        line=line,
    )


def _margin(value: float | str) -> Margin:
    if isinstance(value, str):
        return Margin(float(value.strip().rstrip("%")) / 100, is_relative=True)
    return Margin(float(value))
