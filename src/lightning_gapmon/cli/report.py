"""`gapmon report`: all runs in a table."""

from collections.abc import Sequence
from pathlib import Path

import click

from lightning_gapmon.cli import screen
from lightning_gapmon.cli.runs import Found, load
from lightning_gapmon.report import runs_table, safe
from lightning_gapmon.report.runs_table import Named

NOTHING = 2
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("report", short_help="All runs in a table.")
@click.argument("logs", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", "markdown_file", type=FILE, help="Write a table in Markdown.")
def command(logs: Sequence[str], *, as_json: bool, markdown_file: Path | None) -> int:
    """Show all runs in a table: verdict, best check, gap, and the loss as a line.

    \b
    gapmon report lightning_logs
    gapmon report 'runs/*/version_?' --markdown report.md
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    found = load(logs)
    runs = [Named(name=one.run.name, outcome=one.outcome) for one in found.runs]
    if markdown_file is not None:
        screen.write(markdown_file, runs_table.markdown(runs))
    if as_json:
        screen.dump(_plain(runs, found))
    else:
        _print(runs, found)
    return 0 if runs else NOTHING


def _plain(runs: Sequence[Named], found: Found) -> dict[str, object]:
    return {
        "format": runs_table.FORMAT,
        "version": runs_table.VERSION,
        "runs": [runs_table.plain(run) for run in runs],
        "counted_once": [*found.again],
        "unread": [
            {"name": one.name, "reason": one.reason, "broken": one.broken} for one in found.unread
        ],
    }


def _print(runs: Sequence[Named], found: Found) -> None:
    if runs:
        plain = not screen.draws_blocks()
        rows = [runs_table.cells(run, plain=plain, short=True) for run in runs]
        severities = [run.outcome.diagnosis.severity for run in runs]
        screen.table(runs_table.COLUMNS, rows, severities)
        screen.say()
    for run in (run for run in runs if run.outcome.diagnosis.severity != "info"):
        said = f"{safe.shown(run.name)}: {safe.shown(runs_table.verdict(run))}"
        screen.say(said, status=run.outcome.diagnosis.severity)
    for name in found.again:
        screen.say(f"counted once, logged again in {safe.shown(name)}", status="skipped")
    for one in found.unread:
        screen.say(f"not read: {safe.shown(one.name)}: {safe.shown(one.reason)}", status="skipped")
