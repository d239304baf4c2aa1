"""The `harness` command: assembles the commands and turns errors into one message and an exit code."""

from __future__ import annotations

import shlex
import sys

import click

from harness import __version__
from harness.cli import commands
from harness.core.errors import HarnessError
from harness.core.naming import suggestion
from harness.core.visible import visible

EPILOG = """\b
Exit codes: 0 fine or pass, 1 regression, 2 usage, 3 inconclusive, 4 could not measure.
First steps: harness demo · harness suites list · harness doctor"""


class _Group(click.Group):
    """Lists commands in their order of use, and suggests a near name for an unknown one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(f"No command named '{args[0]}'.{suggestion(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Group,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="harness")
def cli() -> None:
    """Did the fine-tuned model get worse, what kind of wrong is it, and can the build pass?

    finetune -> run -> compare -> gate, over a store of runs.
    """


for _command in commands.in_order():
    cli.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; no traceback for anything a user can mend."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(
            args=words, prog_name="harness", standalone_mode=False, obj=shlex.join(["harness", *words])
        )
    except click.exceptions.Abort:
        click.echo("Interrupted. What was finished is kept; the same command goes on from there.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except HarnessError as error:
        click.echo(f"error: {visible(str(error))}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        click.echo(f"error: {error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)
