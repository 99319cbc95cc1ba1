"""`gapmon check`: the gate."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from lightning_gapmon.analysis.compare.group import grouped
from lightning_gapmon.analysis.gate.gate import gate
from lightning_gapmon.analysis.gate.policy import Policy
from lightning_gapmon.analysis.gate.result import GateResult
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.cli import screen
from lightning_gapmon.cli.runs import Found, load
from lightning_gapmon.cli.settings import merged, read_settings
from lightning_gapmon.report import gate_json, gate_text, github, junit, sarif

PACKAGE = "lightning-gapmon"
POLICY = ("fail_on", "warn_on", "strict", "max_val", "max_gap", "min_checks")
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("check", short_help="The gate.")
@click.argument("logs", nargs=-1, required=True)
@click.option("--fail-on", multiple=True, metavar="FINDING", help="Fails, too: undecided, ...")
@click.option("--warn-on", multiple=True, metavar="FINDING", help="Only warns.")
@click.option("--strict", is_flag=True, help="A log that cannot be read fails, beside others.")
@click.option("--max-val", type=float, help="Highest validation loss of the best check.")
@click.option("--max-gap", type=float, help="Largest relative gap there, such as 0.5.")
@click.option("--min-checks", type=int, help="Fewest checks of a run.")
@click.option("--baseline", metavar="OLD", help="Fails if worse than these logs, beyond noise.")
@click.option("--group", metavar="PATTERN", help="Compare with the baseline group by group.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML.")
@click.option("--sarif", "sarif_file", type=FILE, help="Write SARIF 2.1.0.")
@click.option("--summary", "summary_file", type=FILE, help="Write Markdown, for a comment.")
def command(
    logs: Sequence[str],
    *,
    as_json: bool,
    junit_file: Path | None,
    sarif_file: Path | None,
    summary_file: Path | None,
    **options: Any,  # noqa: ANN401 - each is checked where it is used
) -> int:
    """Judge runs: does each pass?

    Fails by default on overfitting with a rise, divergence and losses that are no numbers, and on
    the limits that you set; all else warns. Rules of a project stand in [tool.gapmon] of its
    pyproject.toml. In GitHub Actions there are annotations and a job summary, too.

    \b
    gapmon check lightning_logs
    gapmon check runs/new --baseline runs/old --max-gap 0.5 --fail-on undecided
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    told = merged(read_settings(Path.cwd()), options)
    policy = _policy(told)
    found = _labelled(load(logs), told["group"])
    before = _baseline(told["baseline"], told["group"])
    outcome = gate(
        [one.judged for one in found.runs], policy, baseline=before, unread=found.unread
    )
    written = {
        junit_file: junit.write,
        sarif_file: lambda result: sarif.write(result, version=version(PACKAGE)),
        summary_file: github.summary,
    }
    for path, writer in written.items():
        if path is not None:
            screen.write(path, writer(outcome))
    _print(outcome, as_json=as_json)
    _tell_github(outcome, err=as_json)
    return outcome.code


def _policy(told: dict[str, Any]) -> Policy:
    settings = {name: told[name] for name in POLICY if told[name] is not None}
    for name in ("fail_on", "warn_on"):
        settings[name] = tuple(_names(settings.get(name, ())))
    return Policy(**settings)


def _names(given: Iterable[str]) -> Iterable[str]:
    """Take findings apart that were given in one word, with commas between."""
    for text in given:
        yield from filter(None, re.split(r"[,\s]+", text))


def _labelled(found: Found, pattern: str | None) -> Found:
    """Give each run the group that a pattern finds in its name."""
    if not pattern:
        return found
    groups = grouped([one.run for one in found.runs], pattern)
    label = {id(run): group.label for group in groups for run in group.runs}
    runs = (replace(one, run=replace(one.run, group=label[id(one.run)])) for one in found.runs)
    return replace(found, runs=tuple(runs))


def _baseline(path: str | None, pattern: str | None) -> list[Run] | None:
    if path is None:
        return None
    return [one.run for one in _labelled(load([path]), pattern).runs]


def _print(outcome: GateResult, *, as_json: bool) -> None:
    if as_json:
        screen.dump(gate_json.plain(outcome))
        return
    for line in gate_text.lines(outcome):
        screen.say(line.text, status=line.status)


def _tell_github(outcome: GateResult, *, err: bool) -> None:
    """Annotate, and add to the summary of the job, where this runs in GitHub Actions."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in github.annotations(outcome):
            click.echo(line, err=err)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as written:
            written.write(github.summary(outcome))
