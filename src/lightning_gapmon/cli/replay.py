"""`gapmon replay`: which stopping rule would have served finished runs."""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from lightning_gapmon.analysis.history.plan import with_plan
from lightning_gapmon.analysis.replay import replay_all
from lightning_gapmon.analysis.rules.expression import parse_rule
from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.analysis.study import Interval, Row, Run, study
from lightning_gapmon.analysis.wording import count, names, percent
from lightning_gapmon.cli import screen
from lightning_gapmon.cli.runs import Found, load
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.report import safe

FORMAT, VERSION = "gapmon.replay", 1
# What docs/rules.md recommends for finding the best check: the advice names one of these.
CATALOGUE = (
    "Budget()",
    "Budget.eager()",
    "Patience()",
    "Patience(5)",
    "Patience(10)",
    "Patience(20)",
)
FEW = 20
RUNS_NAMED = 5  # runs in a message
COLUMNS = {"rule": "left"} | dict.fromkeys(
    ("used", "kept", "regret", "range", "vs patience", "by range"), "right"
)
EXPLAINED = (
    "In %, means over groups; intervals are of 95 %.",
    "used         checks that are paid for until the rule stops",
    "kept         runs whose best check comes before the stop",
    "regret       loss given away, as a share of the best loss",
    "range        the same, as a share of what the run gained over its first check",
    "vs patience  regret over that of the patience that uses as many checks: below 1",
    "             is better, - is where neither gives anything away",
    "by range     the same for the regret by range",
)


@click.command("replay", short_help="Which rule would have served.")
@click.argument("logs", nargs=-1, required=True)
@click.option("--rule", "rules", multiple=True, help="A rule: 'Patience(10) | Target(0.1)'.")
@click.option("--planned", type=int, help="Checks that the runs intended [as recorded].")
@click.option("--no-plan", is_flag=True, help="Tell the rules no plan.")
@click.option("--drop-cut", is_flag=True, help="Leave out runs that were stopped early.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw one run as SVG.")
@click.option("--run", "part", default="", help="The run to draw, by a part of its name.")
@click.option("--regret", default=1.0, help="Relative regret that you accept, in % [1].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    logs: Sequence[str],
    rules: Sequence[str],
    *,
    as_json: bool,
    regret: float,
    **told: Any,  # noqa: ANN401 - by name
) -> int:
    """Find out which stopping rule would have served finished runs.

    Each rule is asked after each check, as it would have been live: what would it have saved, and
    what given away? A run that is logged in several places counts once.

    \b
    gapmon replay lightning_logs
    gapmon replay lightning_logs --rule 'Budget()' --rule 'Patience(10) | Target(0.1)'
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    asked = {text: parse_rule(text) for text in rules or CATALOGUE}
    found = load(logs)
    runs = _runs(logs, found, told)
    if told["picture"]:
        drawn = _draw(told["picture"], _pick(runs, told["part"]), asked)
    rows = study(asked, runs, progress=_replaying)
    advice = _advice(rows, runs, regret / 100)
    if as_json:
        screen.dump(_plain(rows, runs, found, advice))
        return 0
    if told["picture"]:
        screen.say(drawn)
    _print(rows, runs, found)
    screen.say(advice)
    return 0


def _runs(logs: Sequence[str], found: Found, told: dict[str, Any]) -> list[Run]:
    read = [one.run for one in found.runs]
    measured = [run for run in read if run.history.best]
    kept = [run for run in measured if not (told["drop_cut"] and run.cut)]
    if not kept:
        raise LogFormatError(_nothing(logs, found, measured))
    return [_planned(run, told["planned"], no_plan=told["no_plan"]) for run in kept]


def _nothing(logs: Sequence[str], found: Found, measured: list[Run]) -> str:
    where = ", ".join(logs)
    if measured:
        return (
            f"Found in {where} only runs that were stopped early ({len(measured)}); expected one "
            "that was not. Leave out --drop-cut."
        )
    if found.runs:
        return (
            f"Found in {where} no validation loss that is finite; expected one at least. Nothing "
            "can be said of a run that was NaN from the start."
        )
    reasons = [f"{safe.shown(one.name)}: {safe.shown(one.reason)}" for one in found.unread]
    return f"Found no run in {where}. {'; '.join(reasons[:RUNS_NAMED])}"


def _planned(run: Run, planned: int | None, *, no_plan: bool) -> Run:
    history = run.history
    if no_plan or planned or not history.planned:
        history = with_plan(history, None if no_plan else planned or len(history))
    return replace(run, history=history)


def _replaying(runs: Iterable[Run]) -> Iterator[Run]:
    """Show on a terminal how far it is."""
    if not sys.stderr.isatty():
        yield from runs
        return
    with click.progressbar([*runs], label="replaying", file=sys.stderr) as bar:
        yield from bar


def _pick(runs: list[Run], part: str) -> Run:
    named = [run for run in runs if part in run.name]
    if not named:
        listed = names((run.name for run in runs), most=RUNS_NAMED)
        msg = f"Found no run with {part!r} in its name; expected one of {listed}."
        raise LogFormatError(msg)
    return named[0]


def _draw(path: Path, run: Run, rules: dict[str, Rule]) -> str:
    from lightning_gapmon.report.svg import draw  # noqa: PLC0415 - where a picture is asked for

    replayed = replay_all(rules, run.history)
    stops = {name: result.stopped_at for name, result in replayed.items()}
    screen.write(path, draw(run.history, stops, title=run.name))
    return f"Drew {safe.shown(run.name)} in {path}."


def _print(rows: Sequence[Row], runs: Sequence[Run], found: Found) -> None:
    groups = len({run.group or run.name for run in runs})
    listed = ", ".join(safe.shown(run.name) for run in runs[:FEW])
    more = f" and {len(runs) - FEW} more" if len(runs) > FEW else ""
    screen.say(f"{count(len(runs), 'run')} in {count(groups, 'group')}: {listed}{more}")
    for name in found.again:
        screen.say(f"counted once, logged again in {safe.shown(name)}", status="skipped")
    for one in found.unread:
        screen.say(f"not read: {safe.shown(one.name)}: {safe.shown(one.reason)}", status="skipped")
    screen.say()
    screen.table(COLUMNS, [_cells(row) for row in rows])
    screen.say()
    for line in (*EXPLAINED, ""):
        screen.say(line)


def _cells(row: Row) -> list[str]:
    shares = (row.used, row.kept, row.regret_relative, row.regret_range)
    ratios = (row.against_relative, row.against_range)
    return [row.rule, *map(_percent, shares), *map(_ratio, ratios)]


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


def _advice(rows: Sequence[Row], runs: Sequence[Run], accepted: float) -> str:
    yours = f"On your {count(len(runs), 'run')}"
    good = [row for row in rows if row.regret_relative.value <= accepted]
    row = min(good or rows, key=lambda row: (row.used if good else row.regret_relative).value)
    if not any(row.used.value < 1 for row in rows):
        return f"{yours}, none of these rules would have stopped anything."
    if not row.used.value < 1:
        return (
            f"{yours}, none of these rules would have saved a check at {percent(accepted)} "
            "regret or less."
        )
    few = " So few runs are no more than a hint." if len(runs) < FEW else ""
    return (
        f"{yours}, {row.rule} would have saved {percent(1 - row.used.value)} of the checks at "
        f"{percent(row.regret_relative.value)} regret.{_reserve(runs)}{few}"
    )


def _reserve(runs: Sequence[Run]) -> str:
    cut = sum(run.cut for run in runs)
    if not cut:
        return ""
    return (
        f" Of them {cut} had been stopped early: what would have come later is not known, and "
        "--drop-cut leaves them out."
    )


def _plain(
    rows: Sequence[Row], runs: Sequence[Run], found: Found, advice: str
) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "runs": [{"name": run.name, "group": run.group, "cut": run.cut} for run in runs],
        "counted_once": [*found.again],
        "unread": [{"name": one.name, "reason": one.reason} for one in found.unread],
        "rules": [_row(row) for row in rows],
        "advice": advice,
    }


def _row(row: Row) -> dict[str, object]:
    measured = {name: value for name, value in asdict(row).items() if name != "rule"}
    ends = ("value", "low", "high")
    return {"rule": row.rule} | {
        name: {
            end: number if math.isfinite(number) else None
            for end, number in zip(ends, interval, strict=True)
        }
        for name, interval in measured.items()
    }
