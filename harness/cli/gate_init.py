"""harness gate init: a first policy with margins that the two runs can support."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import store_option


@click.command("init")
@click.option("--baseline", metavar="RUN", required=True, help="Run id or name; the policy names it so.")
@click.option("--candidate", metavar="RUN", required=True, help="Run id or name of a typical candidate.")
@store_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("gates/release.gate.yaml"),
    show_default=True,
    help="The policy's file; one that is there is not overwritten.",
)
def init(baseline: str, candidate: str, store: str, out: Path) -> None:
    """Write a commented first policy from two runs.

    One blocking rule a suite, with the smallest usual margin at which its items can certify an unchanged candidate.
    """
    from harness.core.errors import UsageError
    from harness.gating import gate
    from harness.gating.starter import starter_policy
    from harness.store import open_store

    if out.exists():
        raise UsageError(f"{out} is there already; remove it, or name another file (--out).")
    kept = open_store(store)
    text = starter_policy(kept.run(baseline), kept.run(candidate), baseline_name=baseline)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    verdict = gate(candidate=candidate, policy=out, store=kept)
    click.echo(f"{out}: by it the candidate would be {verdict.status.upper()} now. {verdict.reason}")
    click.echo(
        f"Next: harness gate {out} --candidate {candidate}   or   pytest {out} --harness-candidate={candidate}"
    )
