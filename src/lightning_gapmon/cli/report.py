"""`gapmon report`: all runs in a table."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path, PurePath

import click

from lightning_gapmon.analysis.run_document import (
    Beside,
    RunDocument,
    document_of,
    run_document,
)
from lightning_gapmon.cli import screen
from lightning_gapmon.cli.runs import Found, Loaded, load
from lightning_gapmon.report import runs_table, safe
from lightning_gapmon.report.png import png
from lightning_gapmon.report.runs_table import Named

NOTHING = 2
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("report", short_help="All runs in a table.")
@click.argument("logs", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "html_file", type=FILE, help="Write a page that needs nothing else.")
@click.option("--png", "png_file", type=FILE, help="Draw the runs; needs matplotlib.")
@click.option("--markdown", "markdown_file", type=FILE, help="Write a table in Markdown.")
def command(logs: Sequence[str], *, as_json: bool, **files: Path | None) -> int:
    """Show all runs in a table: verdict, best check, gap, outlook, and the loss as a line.

    The outlook is the chance that what is left of the plan brings a loss that is 0.5 % better.

    \b
    gapmon report lightning_logs
    gapmon report 'runs/*/version_?' --html report.html
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    found = load(logs)
    runs = [Named(name=one.run.name, outcome=one.outcome) for one in found.runs]
    writers: dict[str, Callable[[], str | bytes]] = {
        "markdown_file": lambda: runs_table.markdown(runs),
        "html_file": lambda: _page(found),
        "png_file": lambda: png([_document(one) for one in found.runs]),
    }
    for name, path in files.items():
        if path is not None:
            screen.write(path, writers[name]())
    if as_json:
        screen.dump(_plain(runs, found))
    else:
        _print(runs, found)
    return 0 if runs else NOTHING


def _page(found: Found) -> str:
    from lightning_gapmon.report.html import page  # noqa: PLC0415 - where a page is asked for

    return page([_document(one) for one in found.runs])


def _document(one: Loaded) -> RunDocument:
    outcome = one.outcome
    if one.own:
        return document_of(outcome, Beside(name=one.run.name))
    beside = Beside(name=one.run.name, outlook=outcome.outlook)
    return run_document(outcome.history, outcome.diagnosis, beside)


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
        shown = _without_root(runs)
        rows = [runs_table.cells(run, plain=plain, short=True) for run in shown]
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


def _without_root(runs: Sequence[Named]) -> list[Named]:
    """Leave out the folders that all runs share: a table has little room."""
    folders = (PurePath(run.name).parent.parts for run in runs)
    shared = [part[0] for part in takewhile(_alike, zip(*folders, strict=False))]
    if len(runs) < 2 or not shared:  # noqa: PLR2004
        return [*runs]
    screen.say(f"in {safe.shown(str(PurePath(*shared)))}:")
    return [
        replace(run, name=str(PurePath(*PurePath(run.name).parts[len(shared) :]))) for run in runs
    ]


def _alike(parts: Sequence[str]) -> bool:
    return len({*parts}) == 1
