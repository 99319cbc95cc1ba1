"""The command `gapmon`: its subcommands by name, each loaded when it is asked for."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

from lightning_gapmon.analysis.wording import did_you_mean
from lightning_gapmon.errors import GapMonitorError

USAGE, INTERRUPTED, PIPE_CLOSED = 2, 130, 141
COMMANDS = {
    "report": "All runs in a table: verdict, best check, gap, outlook; as a page, too.",
    "check": "Pass or fail: judge runs in CI, with JUnit, SARIF and a job summary.",
    "compare": "Is B better than A, beyond noise; which checkpoints are as good as the best.",
    "watch": "See a run while it trains: both losses, the verdict and the outlook.",
    "replay": "Find out which stopping rule would have served finished runs.",
    "demo": "Train a small network until it overfits, and see what the monitor says.",
}


class Lazy(click.Group):
    """A group whose commands are modules of this package, which are loaded one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in the order in which one would use them."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"lightning_gapmon.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which command was meant where there is none of that name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            msg = (
                f"Found no command {name!r}; expected one of {', '.join(COMMANDS)}."
                f"{did_you_mean(name, COMMANDS)}"
            )
            raise click.UsageError(msg, ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; click itself would say with code 1, a finding, that a pipe is closed."""
        try:
            code: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read has gone; what Python still has to flush goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return PIPE_CLOSED
        return code

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the lines of the help without loading what they are about."""
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(
    cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="lightning-gapmon", prog_name="gapmon")
def gapmon() -> None:
    """Know whether a model is learning or memorising, from the logs that it leaves.

    LOGS are folders, files or patterns: gapmon.json, TensorBoard, metrics.csv of Lightning,
    trainer_state.json of Hugging Face, CSV of Keras, JSON lines. Each command exits with 0 where
    all is fine, 1 where something was found, 2 where nothing could be judged.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    """Run a command and give its exit code: a mistake or a crash is no finding."""
    try:
        given = None if arguments is None else [*arguments]
        code: object = gapmon.main(given, prog_name="gapmon", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except click.Abort:
        return INTERRUPTED
    except GapMonitorError as error:
        click.secho(str(error), fg="red", err=True)
        return USAGE
    except Exception:  # noqa: BLE001 - code 1, which Python would give, means that a run is ill
        traceback.print_exc()
        return USAGE
    return code if isinstance(code, int) else 0
