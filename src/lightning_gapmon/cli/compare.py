"""`gapmon compare`: groups of runs against each other, and a run's checks against its best."""

from collections.abc import Sequence
from pathlib import Path

import click

from lightning_gapmon.analysis.compare.checkpoints import Candidate, as_good_as_best
from lightning_gapmon.analysis.compare.compare import ERROR, Comparison, compare
from lightning_gapmon.analysis.compare.group import Group, by_folder, grouped
from lightning_gapmon.analysis.gate.result import Unread
from lightning_gapmon.analysis.wording import count, difference, number, percent
from lightning_gapmon.cli import screen
from lightning_gapmon.cli.runs import Loaded, load
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.checkpoint_files import checkpoint_files
from lightning_gapmon.report import compare_json, safe

FOUND, NOTHING = 1, 2
SHOWN = 12  # checks of a run


@click.command("compare", short_help="Is B better than A.")
@click.argument("logs", nargs=-1, required=True, metavar="A [B]...")
@click.option("--group", metavar="PATTERN", help="Group runs by what this matches in their names.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(logs: Sequence[str], *, group: str | None, as_json: bool) -> int:
    """Tell whether B is better than A, beyond noise, or that one cannot tell.

    Each of A, B, ... is a group: all runs below it, such as the seeds of one setting. One path
    alone is taken apart by its folders, or by --group. With several runs on both sides, equal
    groups are called better 5 times in 100 at most; one run a side speaks of these runs only.

    Below it, for each run, the checks that are as good as its best within noise, and which of
    their checkpoints still exist.

    Exits with 1 where a group is worse than the first, with 2 where nothing can be compared.

    \b
    gapmon compare runs/plain runs/dropout
    gapmon compare runs --group 'lr=[^/]+'
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    loaded, unread = _loaded(logs)
    groups = _groups(logs, loaded, group)
    pairs = groups[1:]
    comparisons = [compare(groups[0], other, comparisons=len(pairs)) for other in pairs]
    kept = {
        one.run.name: as_good_as_best(one.run.history, _checkpoints(one))
        for runs in loaded
        for one in runs
    }
    if as_json:
        screen.dump(compare_json.plain(groups, comparisons, kept, unread))
    else:
        _print(groups, comparisons, kept, unread)
    if not any(group.losses for group in groups):
        return NOTHING
    return FOUND if any(one.answer == "worse" for one in comparisons) else 0


def _loaded(logs: Sequence[str]) -> tuple[list[tuple[Loaded, ...]], list[Unread]]:
    """Read the runs of each path; a run that two paths have counts in both."""
    found = [load([path]) for path in logs]
    unread = [one for each in found for one in each.unread]
    if not any(each.runs for each in found):
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in unread)
        msg = f"Found no run to compare in {', '.join(logs)}: {safe.shown(reasons)}."
        raise LogFormatError(msg)
    return [each.runs for each in found], unread


def _groups(
    logs: Sequence[str], loaded: Sequence[Sequence[Loaded]], pattern: str | None
) -> list[Group]:
    runs = [one.run for each in loaded for one in each]
    if pattern:
        return grouped(runs, pattern)
    if len(logs) == 1:
        return by_folder(runs)
    return [
        Group(label=label, runs=tuple(one.run for one in each))
        for label, each in zip(logs, loaded, strict=True)
    ]


def _checkpoints(one: Loaded) -> list[str]:
    """List the checkpoints beside a log, and the one that its report names, that exist."""
    paths = checkpoint_files(Path(one.path))
    best = one.outcome.best_path
    if best and Path(best).exists() and best not in paths:
        paths.append(best)
    return paths


def _print(
    groups: Sequence[Group],
    comparisons: Sequence[Comparison],
    kept: dict[str, list[Candidate]],
    unread: Sequence[Unread],
) -> None:
    columns = {"group": "left", "runs": "right", "best val": "right", "spread": "right"}
    columns |= {"against the first": "right", _sure(len(comparisons)): "left", "": "left"}
    answers = [None, *comparisons]
    rows = [_row(*pair) for pair in zip(groups, answers, strict=True)]
    screen.table(columns, rows, [_status(one) for one in answers])
    for one in comparisons:
        if one.reason:
            screen.say(f"{safe.shown(one.other.label)}: {safe.shown(one.reason)}")
    screen.say()
    for name, found in kept.items():
        _print_checks(name, found)
    for log in unread:
        screen.say(f"not read: {safe.shown(log.name)}: {safe.shown(log.reason)}", status="skipped")


def _sure(comparisons: int) -> str:
    """Say how often the intervals hold the truth; several are made so that all do."""
    return percent(1 - 2 * ERROR / max(1, comparisons))


def _row(group: Group, found: Comparison | None) -> list[str]:
    several = len(group.losses) > 1
    cells = [
        group.label,
        str(len(group.runs)),
        number(group.mean) if group.losses else "-",
        number(group.spread) if several else "-",
    ]
    if found is None:
        return [*cells, "", "", ""]
    if found.basis == "nothing":
        return [*cells, "-", "", found.answer]
    ends = f"[{difference(found.low)}, {difference(found.high)}]"
    return [*cells, difference(found.difference), ends, found.answer]


def _status(found: Comparison | None) -> str:
    if found is None:
        return ""
    return {"better": "passed", "worse": "failed", "cannot tell": ""}[found.answer]


def _print_checks(name: str, found: Sequence[Candidate]) -> None:
    if not found:
        screen.say(f"{safe.shown(name)}: no check has a finite validation loss")
        return
    best = min(found, key=lambda one: one.seen.val)
    screen.say(
        f"{safe.shown(name)}: {count(len(found), 'check')} as good as the best, "
        f"{best.seen.check} ({number(best.seen.val)}), within noise"
    )
    existing = [one for one in found if one.paths]
    for one in existing[:SHOWN]:
        paths = ", ".join(map(safe.shown, one.paths))
        screen.say(f"  check {one.seen.check}, {number(one.seen.val)}: {paths}")
    if not existing:
        listed = ", ".join(str(one.seen.check) for one in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        screen.say(f"  checks {listed}{more}; none has a checkpoint beside its log")
    if len(existing) > SHOWN:
        screen.say(f"  and {len(existing) - SHOWN} more checkpoints")
