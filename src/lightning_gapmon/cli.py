"""The command line; it loads neither torch nor Lightning."""

import math
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from lightning_gapmon.analysis.history.plan import with_plan
from lightning_gapmon.analysis.replay import replay_all
from lightning_gapmon.analysis.rules.expression import parse_rule
from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.analysis.study import Interval, Row, Run, study
from lightning_gapmon.analysis.wording import count, percent
from lightning_gapmon.errors import GapMonitorError, LogFormatError
from lightning_gapmon.logs.distinct import distinct
from lightning_gapmon.logs.formats import Log, find_logs, read_log
from lightning_gapmon.report.grid import grid
from lightning_gapmon.report.svg import draw

CATALOGUE = (
    "Budget()",
    "Budget.eager()",
    "Patience()",
    "Patience(5)",
    "Patience(10)",
    "Patience(20)",
)
FEW = 20
WIDE = 100  # characters, from which on columns stand apart
RUNS_NAMED = 5  # runs in a message
Thing = TypeVar("Thing")


@click.group()
@click.version_option(package_name="lightning-gapmon", prog_name="gapmon")
def app() -> None:
    """Know whether a model is learning or memorising."""


@app.command()
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--rule", "rules", multiple=True, help="A rule such as 'Patience(10) | Target(0.1)'."
)
@click.option("--planned", type=int, help="Checks that the runs intended [default: as recorded].")
@click.option("--no-plan", is_flag=True, help="Tell the rules no plan.")
@click.option("--drop-cut", is_flag=True, help="Leave out runs marked as cut by early stopping.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="Draw one run, with each rule's stop, as SVG.",
)
@click.option("--run", default="", help="The run to draw, by a part of its name.")
@click.option(
    "--regret", default=1.0, show_default=True, help="Relative regret that you accept, in %."
)
def replay(
    logs: tuple[Path, ...],
    *,
    rules: tuple[str, ...],
    planned: int | None,
    no_plan: bool,
    drop_cut: bool,
    picture: Path | None,
    run: str,
    regret: float,
) -> None:
    """Find out which stopping rule would have served finished runs.

    A run that is logged in several places counts once.

    Reads gapmon.json, TensorBoard logs, Lightning's metrics.csv, trainer_state.json of
    Hugging Face, CSV logs of Keras, and JSON lines with id, train, val and optionally repo, lr
    and planned.
    """
    try:
        asked = {text: parse_rule(text) for text in rules or CATALOGUE}
        runs = _runs([*logs], planned=planned, no_plan=no_plan, drop_cut=drop_cut)
        if picture:
            click.echo(_draw(picture, _pick(runs, run), asked))
    except GapMonitorError as error:
        click.secho(str(error), fg="red", err=True)
        raise click.exceptions.Exit(2) from error
    rows = study(asked, runs, progress=_replaying)
    click.echo(_table(rows, runs))
    click.echo(_advice(rows, runs, regret / 100))


def _runs(logs: list[Path], *, planned: int | None, no_plan: bool, drop_cut: bool) -> list[Run]:
    read_all = (read for log in _shown(find_logs(logs), "reading") for read in _fenced(log))
    found = distinct(read_all)
    measured = [read for read in found if read.history.best]
    kept = [read for read in measured if not (drop_cut and read.cut)]
    if not kept:
        raise LogFormatError(_nothing(logs, found, measured))
    return [_with_plan(read, planned=planned, no_plan=no_plan) for read in kept]


def _fenced(log: Log) -> Iterable[Run]:
    found = read_log(log)
    for skipped in found.skipped:
        click.echo(f"Skipped {skipped}", err=True)
    return found.runs


def _nothing(logs: list[Path], found: list[Run], measured: list[Run]) -> str:
    where = ", ".join(map(str, logs))
    if measured:
        return (
            f"Found in {where} only runs that were stopped early ({len(measured)}); expected one "
            "that was not. Leave out --drop-cut."
        )
    if found:
        return (
            f"Found in {where} no validation loss that is finite; expected one at least. Nothing "
            "can be said of a run that was NaN from the start."
        )
    return (
        f"Found no validation loss in {where}; expected columns such as train_loss and val_loss, "
        "loss and val_loss, or loss/train and loss/val."
    )


def _with_plan(run: Run, *, planned: int | None, no_plan: bool) -> Run:
    history = run.history
    if no_plan or planned or not history.planned:
        history = with_plan(history, None if no_plan else planned or len(history))
    return replace(run, history=history)


def _replaying(runs: Iterable[Run]) -> Iterable[Run]:
    return _shown([*runs], "replaying")


def _shown(things: Sequence[Thing], doing: str) -> Iterable[Thing]:
    if not sys.stderr.isatty():
        yield from things
        return
    with click.progressbar(things, label=doing, file=sys.stderr) as bar:
        yield from bar


def _pick(runs: list[Run], part: str) -> Run:
    named = [run for run in runs if part in run.name]
    if not named:
        names = [run.name for run in runs[:RUNS_NAMED]] + ["..."] * (len(runs) > RUNS_NAMED)
        msg = f"Found no run with {part!r} in its name; expected one of {', '.join(names)}."
        raise LogFormatError(msg)
    return named[0]


def _draw(path: Path, run: Run, rules: dict[str, Rule]) -> str:
    replayed = replay_all(rules, run.history)
    stops = {name: result.stopped_at for name, result in replayed.items()}
    path.write_text(draw(run.history, stops, title=run.name), encoding="utf-8")
    return f"Drew {run.name} in {path}."


HEADINGS = ("rule", "used", "kept", "regret", "range", "vs patience", "by range")
CAPTION = (
    "Means over groups, in %: checks used, best check kept, regret as a share of the best loss, "
    "and of the range that the run covered. Vs patience: regret over that of the patience that "
    "uses as many checks, with 95 % interval; below 1 is better, and - is where neither gives "
    "anything away."
)


def _table(rows: list[Row], runs: list[Run]) -> str:
    width = shutil.get_terminal_size().columns
    groups = len({run.group or run.name for run in runs})
    cells = [[row.rule, *map(_percent, _shares(row)), *map(_ratio, _ratios(row))] for row in rows]
    title = f"{count(len(runs), 'run')} in {count(groups, 'group')}"
    gap = "  " if width >= WIDE else " "
    table = grid([HEADINGS, *cells], width=width, gap=gap)
    return "\n".join([title, "", table, "", textwrap.fill(CAPTION, width), ""])


def _shares(row: Row) -> tuple[Interval, ...]:
    return row.used, row.kept, row.regret_relative, row.regret_range


def _ratios(row: Row) -> tuple[Interval, ...]:
    return row.against_relative, row.against_range


def _percent(share: Interval) -> str:
    return f"{100 * share.value:.1f}" if share.value >= 0.1 else f"{100 * share.value:.2f}"  # noqa: PLR2004


def _ratio(ratio: Interval) -> str:
    if math.isnan(ratio.value):
        return "-"
    value, low, high = map(_short, ratio)
    if math.isnan(ratio.low):
        return value
    return f"{value} [{low.removeprefix('0')} {high.removeprefix('0')}]"


def _short(number: float) -> str:
    digits = 2 if number < 1 else 1 if number < 10 else 0  # noqa: PLR2004
    return f"{min(number, 99.0):.{digits}f}"


def _advice(rows: list[Row], runs: list[Run], accepted: float) -> str:
    good = [row for row in rows if row.regret_relative.value <= accepted]
    row = min(good or rows, key=lambda row: (row.used if good else row.regret_relative).value)
    if not any(row.used.value < 1 for row in rows):
        return (
            f"On your {count(len(runs), 'run')}, none of these rules would have stopped anything."
        )
    if not row.used.value < 1:
        return (
            f"On your {count(len(runs), 'run')}, none of these rules would have saved a check at "
            f"{percent(accepted)} regret or less."
        )
    few = " So few runs are no more than a hint." if len(runs) < FEW else ""
    saved = percent(1 - row.used.value)
    return (
        f"On your {count(len(runs), 'run')}, {row.rule} would have saved {saved} of the checks at "
        f"{percent(row.regret_relative.value)} regret.{_reserve(runs)}{few}"
    )


def _reserve(runs: list[Run]) -> str:
    cut = sum(run.cut for run in runs)
    if not cut:
        return ""
    return (
        f" Of them {cut} had been stopped early: what would have come later is not known, and "
        "--drop-cut leaves them out."
    )


def main() -> None:
    """Run the command line."""
    app()
