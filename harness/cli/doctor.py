"""harness doctor: is everything here that a run needs?"""

from __future__ import annotations

import click

from harness.cli.options import json_option, print_json, store_option


@click.command()
@click.argument("checkpoint", required=False)
@store_option
@json_option
def doctor(checkpoint: str | None, store: str, as_json: bool) -> int:
    """Check device, versions, store and, with CHECKPOINT, its weights, tokenizer and template."""
    from harness.report.doctor import examine, show_findings

    findings = examine(store=store, checkpoint=checkpoint)
    if as_json:
        print_json([finding.to_json() for finding in findings])
    else:
        show_findings(findings)
    return 2 if any(finding.status == "fault" for finding in findings) else 0
