"""harness gate: pass, fail or inconclusive, by a policy."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import json_option, print_json, store_option


@click.command()
@click.argument("policy", type=click.Path(path_type=Path), required=False)
@click.option("--baseline", metavar="RUN", help="Run id or name [default: the policy's].")
@click.option("--candidate", metavar="RUN", required=True, help="Run id or name.")
@store_option
@click.option("--suite", help="Only this suite.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML, one test a rule."
)
@click.option(
    "--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write a summary in Markdown."
)
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a self-contained report."
)
@json_option
@click.pass_context
def gate(
    ctx: click.Context,
    policy: Path | None,
    baseline: str | None,
    candidate: str,
    store: str,
    suite: str | None,
    junit: Path | None,
    markdown: Path | None,
    html: Path | None,
    as_json: bool,
) -> int:
    """Judge a candidate by POLICY.yaml (without one: every suite's primary metric, margin .05, also per transform).

    Exit code 0 pass, 1 regression, 3 inconclusive.
    """
    from harness.gating import gate as judge
    from harness.report.verdict import show_verdict, verdict_junit, verdict_markdown
    from harness.store import open_store

    kept = open_store(store)
    verdict = judge(candidate=candidate, baseline=baseline, policy=policy, store=kept, suite=suite)
    if junit is not None:
        junit.write_text(verdict_junit(verdict), encoding="utf-8")
    if markdown is not None:
        markdown.write_text(verdict_markdown(verdict), encoding="utf-8")
    if html is not None:
        from harness.report.html import verdict_html

        html.write_text(verdict_html(verdict, store=kept), encoding="utf-8")
    if as_json:
        print_json(verdict.to_json())
    else:
        show_verdict(verdict, store=store)
    return verdict.exit_code
