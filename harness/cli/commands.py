"""Which commands there are, in the order a person meets them."""

from __future__ import annotations

import click

from harness.cli import (
    baseline,
    cache,
    compare,
    dashboard,
    demo,
    doctor,
    finetune,
    gate,
    import_logs,
    lm_eval,
    rescore,
    robustness,
    run,
    runs,
    suites,
)


def in_order() -> tuple[click.Command, ...]:
    """All commands, the first steps first."""
    return (
        demo.demo,
        run.run,
        compare.compare,
        robustness.robustness,
        gate.gate,
        baseline.baseline,
        finetune.finetune,
        suites.suites,
        runs.runs,
        cache.cache,
        lm_eval.lm_eval,
        rescore.rescore,
        import_logs.import_logs,
        dashboard.dashboard,
        doctor.doctor,
    )
