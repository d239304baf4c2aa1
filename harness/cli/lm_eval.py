"""harness lm-eval: lm-eval's own command, on our engine."""

from __future__ import annotations

import click


@click.command(
    "lm-eval",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="lm-eval's own command, with the model `harness`.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="ARGS...")
def lm_eval(arguments: tuple[str, ...]) -> None:
    """Everything lm-eval's command takes, with one more model: `harness`, this project's engine.

    \b
    lm_eval         --model hf      --model_args pretrained=./checkpoint --tasks hellaswag
    harness lm-eval --model harness --model_args pretrained=./checkpoint --tasks hellaswag

    Same numbers, files and exit codes, sooner: what requests share is read once. Without --model it is `harness`;
    every other model stays lm-eval's own. --batch_size is not needed (batch_tokens=N in --model_args sets the
    tokens of a batch).

    `harness lm-eval run --help`, `... ls tasks` and `... validate` are lm-eval's own.
    """
    from harness.lmeval.command import run_lm_eval

    run_lm_eval(arguments)
