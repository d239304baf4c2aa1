"""harness gate: pass, fail or inconclusive, by a policy; harness gate init writes a first one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from harness.cli.gate_init import init
from harness.cli.options import json_option, print_json, store_option

EPILOG = """\b
A first policy: harness gate init --baseline RUN --candidate RUN
The same rules as tests: pytest gates --harness-candidate=RUN"""


class _Gate(click.Command):
    """`harness gate init` beside `harness gate POLICY.yaml`: the first word decides."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == [init.name]:
            return init.make_context(f"{info_name} {init.name}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


def _file(name: str, help_text: str) -> Any:
    return click.option(name, type=click.Path(dir_okay=False, path_type=Path), help=help_text)


@click.command(cls=_Gate, epilog=EPILOG)
@click.argument("policy", type=click.Path(path_type=Path), required=False)
@click.option("--baseline", metavar="RUN", help="Run id or name [default: the policy's].")
@click.option(
    "--candidate",
    "candidates",
    metavar="RUN",
    required=True,
    multiple=True,
    help="Run id or name; several are seeds or replicates of one candidate.",
)
@store_option
@click.option("--suite", help="Only this suite.")
@_file("--junit", "Write JUnit XML, one test a rule.")
@_file("--markdown", "Write a summary in Markdown.")
@_file("--html", "Write a self-contained report.")
@click.option("--github", is_flag=True, help="Print GitHub annotations and add to the step's summary.")
@json_option
@click.pass_context
def gate(
    ctx: click.Context,
    policy: Path | None,
    baseline: str | None,
    candidates: tuple[str, ...],
    store: str,
    suite: str | None,
    junit: Path | None,
    markdown: Path | None,
    html: Path | None,
    github: bool,
    as_json: bool,
) -> int:
    """Judge a candidate by POLICY.yaml (without one: every suite's primary metric, margin .05, also per transform).

    Exit code 0 pass, 1 regression, 3 inconclusive.
    """
    from harness.gating.gate import judged
    from harness.report.verdict import show_verdict, verdict_junit, verdict_markdown
    from harness.store import open_store

    kept = open_store(store)
    found = judged(candidate=candidates, baseline=baseline, policy=policy, store=kept, suite=suite)
    verdict = found.verdict
    if junit is not None:
        junit.write_text(verdict_junit(verdict), encoding="utf-8")
    if markdown is not None:
        markdown.write_text(verdict_markdown(verdict), encoding="utf-8")
    if html is not None:
        from harness.report.html import verdict_html

        html.write_text(verdict_html(verdict, store=kept), encoding="utf-8")
    if github:
        from harness.report.github import add_step_summary, verdict_annotations

        # On the other stream, so that --json stays JSON; the runner reads both.
        for line in verdict_annotations(verdict):
            click.echo(line, err=True)
        add_step_summary(verdict_markdown(verdict), environment=os.environ)
    if as_json:
        print_json(verdict.to_json())
    else:
        show_verdict(verdict, store=store)
    return verdict.exit_code
