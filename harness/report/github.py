"""What GitHub shows of a verdict: annotations on the policy's lines, and the step's summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.core.visible import visible
from harness.gating import Status, Verdict
from harness.report.rule_text import rule_text


def annotation(
    status: Status,
    text: str,
    *,
    title: str,
    is_blocking: bool = True,
    warns_only: bool = False,
    file: str | None = None,
    line: int | None = None,
) -> str:
    """One workflow command: an error where the build fails, else a warning.

    Nothing of the text can end the command or begin another.

    Example:
        >>> annotation("fail", "worse\\n::set-output::", title="a::b", file="gate.yaml", line=3)
        '::error file=gate.yaml,line=3,title=fail a%3A%3Ab::worse%0A::set-output::'
    """
    is_error = is_blocking and (status == "fail" or not warns_only)
    fields = []
    if file is not None:
        fields.append(f"file={_property(file)}")
        if line is not None:
            fields.append(f"line={line}")
    fields.append(f"title={_property(f'{status} {title}')}")
    return f"::{'error' if is_error else 'warning'} {','.join(fields)}::{_data(text)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def verdict_annotations(verdict: Verdict, *, most: int = 10) -> list[str]:
    """The verdict's rules that did not pass, blocking ones first; GitHub shows ten of a kind in a step."""
    open_rules = [judgement for judgement in verdict.judgements if judgement.status != "pass"]
    open_rules.sort(key=lambda judgement: (not judgement.is_blocking, judgement.status != "fail"))
    lines = [
        annotation(
            judgement.status,
            rule_text(verdict, judgement),
            title=judgement.title,
            is_blocking=judgement.is_blocking,
            warns_only=verdict.warns_only,
            file=verdict.policy_path,
            line=judgement.rule.line,
        )
        for judgement in open_rules[:most]
    ]
    if not verdict.judgements:
        lines.append(annotation(verdict.status, verdict.reason, title="gate", warns_only=verdict.warns_only))
    return lines


def add_step_summary(markdown: str, *, environment: Mapping[str, str]) -> bool:
    """Adds Markdown to the step's summary where there is one; whether it did."""
    file = environment.get("GITHUB_STEP_SUMMARY")
    if not file:
        return False
    with Path(file).open("a", encoding="utf-8") as summary:
        summary.write(markdown + "\n")
    return True
